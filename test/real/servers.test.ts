import { proveServers } from './prove-servers.ts';
import { DEVELOPMENT_SERVER_NAMES } from './servers.ts';

proveServers(DEVELOPMENT_SERVER_NAMES);
