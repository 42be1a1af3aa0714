/** Options: what is relayed without buffering, and what is logged. */

import { choice, onOff, streamed } from '../types.ts';
import type { Rows } from '../option-type.ts';

export const STREAMING: Rows<'stream'> = {
  stream: {
    setting: 'stream',
    name: 'stream',
    type: streamed,
    default: [],
    purpose: 'Pass these paths and media types through unbuffered; event streams and WebSockets always are.',
  },
};

export const LOGS: Rows<'logLevel' | 'accessLog' | 'quiet'> = {
  logLevel: {
    setting: 'logLevel',
    name: 'log-level',
    type: choice('error', 'warn', 'info', 'debug'),
    default: 'info',
    purpose: 'The least severe messages to log; warn logs only problems.',
  },
  accessLog: {
    setting: 'accessLog',
    name: 'access-log',
    type: choice('auto', 'pretty', 'json', 'combined', 'off'),
    default: 'auto',
    purpose: 'Format of the access log; auto is pretty on a terminal, json elsewhere.',
  },
  quiet: {
    setting: 'quiet',
    name: 'quiet',
    type: onOff,
    default: false,
    purpose: 'Log only problems, and skip the startup message.',
  },
};
