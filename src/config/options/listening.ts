/** Options: where the proxy listens, and where its upstream does. */

import type { Rows } from '../option-type.ts';
import { host, onOff, path, port, socketPath, target } from '../types.ts';

export const LISTENING: Rows<
  'target' | 'port' | 'host' | 'socketPath' | 'tlsCert' | 'tlsKey' | 'admin' | 'adminPort' | 'adminHost'
> = {
  target: {
    setting: 'target',
    name: 'target',
    type: target,
    default: { kind: 'tcp', tls: false, host: '127.0.0.1', port: 8000 },
    purpose: 'The server to stand in front of: a URL, host:port, a port of this machine, or unix:/path.',
  },
  port: {
    setting: 'port',
    name: 'port',
    type: port,
    default: 8080,
    purpose: 'The port that clients connect to; 0 takes any free one.',
  },
  host: {
    setting: 'host',
    name: 'host',
    type: host,
    default: '127.0.0.1',
    purpose: 'The address to listen on; 0.0.0.0 lets other machines and containers in.',
  },
  socketPath: {
    setting: 'socketPath',
    name: 'socket',
    type: socketPath,
    default: null,
    purpose: 'Listen on this unix socket instead of a host and port.',
  },
  tlsCert: {
    setting: 'tlsCert',
    name: 'tls-cert',
    type: path,
    default: null,
    purpose: 'Speak TLS to clients with this certificate chain (PEM).',
  },
  tlsKey: {
    setting: 'tlsKey',
    name: 'tls-key',
    type: path,
    default: null,
    purpose: 'The private key of --tls-cert (PEM).',
  },
  admin: {
    setting: 'admin',
    name: 'admin',
    type: onOff,
    default: true,
    purpose: 'Serve the inspector, its API, metrics and health checks; --no-admin opens no second port.',
  },
  adminPort: {
    setting: 'adminPort',
    name: 'admin-port',
    type: port,
    default: 8081,
    purpose: 'The port of the inspector and the metrics; 0 takes any free one.',
  },
  adminHost: {
    setting: 'adminHost',
    name: 'admin-host',
    type: host,
    default: '127.0.0.1',
    purpose: 'The address of the admin port; whoever reaches it sees the traffic.',
  },
};
