import { proveServers } from './prove-servers.ts';
import { APPLICATION_SERVER_NAMES } from './servers.ts';

proveServers(APPLICATION_SERVER_NAMES);
