/** Options: what is relayed without buffering, and what is logged. */

import { choice, onOff, streamed } from '../types.ts';
import type { Rows } from '../option-type.ts';

export const STREAMING: Rows<'stream'> = {
  stream: {
    setting: 'stream',
    name: 'stream',
    type: streamed,
    default: [],
    purpose: 'Relay these paths and media types as they come; event streams and WebSockets always are.',
  },
};

export const LOGS: Rows<'logLevel' | 'accessLog' | 'quiet'> = {
  logLevel: {
    setting: 'logLevel',
    name: 'log-level',
    type: choice('error', 'warn', 'info', 'debug'),
    default: 'info',
    purpose: 'How much is logged; warn keeps only what went wrong.',
  },
  accessLog: {
    setting: 'accessLog',
    name: 'access-log',
    type: choice('auto', 'pretty', 'json', 'combined', 'off'),
    default: 'auto',
    purpose: 'How exchanges are logged; auto is pretty on a terminal and json elsewhere.',
  },
  quiet: {
    setting: 'quiet',
    name: 'quiet',
    type: onOff,
    default: false,
    purpose: 'Say only what went wrong, and not where it listens.',
  },
};
