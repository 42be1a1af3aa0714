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
    purpose: 'The server to proxy to: a URL, host:port, a local port, or unix:/path.',
  },
  port: {
    setting: 'port',
    name: 'port',
    type: port,
    default: 8080,
    purpose: 'The port that clients connect to; 0 picks a free one.',
  },
  host: {
    setting: 'host',
    name: 'host',
    type: host,
    default: '127.0.0.1',
    purpose: 'The address to listen on; 0.0.0.0 accepts other machines and containers.',
  },
  socketPath: {
    setting: 'socketPath',
    name: 'socket',
    type: socketPath,
    default: null,
    purpose: 'Listen on this Unix socket instead of a host and port.',
  },
  tlsCert: {
    setting: 'tlsCert',
    name: 'tls-cert',
    type: path,
    default: null,
    purpose: 'Serve TLS to clients with this certificate chain (PEM).',
  },
  tlsKey: {
    setting: 'tlsKey',
    name: 'tls-key',
    type: path,
    default: null,
    purpose: 'The private key for --tls-cert (PEM).',
  },
  admin: {
    setting: 'admin',
    name: 'admin',
    type: onOff,
    default: true,
    purpose: 'Serve the inspector, its API, metrics and health checks on a second port.',
  },
  adminPort: {
    setting: 'adminPort',
    name: 'admin-port',
    type: port,
    default: 8081,
    purpose: 'The port of the inspector, metrics and health checks; 0 picks a free one.',
  },
  adminHost: {
    setting: 'adminHost',
    name: 'admin-host',
    type: host,
    default: '127.0.0.1',
    purpose: 'The address of the admin port; anyone who can reach it can see the traffic.',
  },
};
