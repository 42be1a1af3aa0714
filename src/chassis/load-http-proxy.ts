/** Loads http-proxy without the deprecated function that it would warn about. */

import { createRequire } from 'node:module';
import type HttpProxy from 'http-proxy';

type Loaded = typeof HttpProxy;

/**
 * http-proxy 1.18.1 takes `util._extend` once, when it is loaded; calling it prints DEP0060 on Node 22 and later.
 * It gets `Object.assign`, which does the same, and everybody else keeps what they had.
 */
export function loadHttpProxy(): Loaded {
  const require = createRequire(import.meta.url);
  const util = require('node:util') as Record<string, unknown>;
  const original = Object.getOwnPropertyDescriptor(util, '_extend');
  Object.defineProperty(util, '_extend', {
    value: Object.assign,
    configurable: true,
    writable: true,
    enumerable: true,
  });
  try {
    return require('http-proxy') as Loaded;
  } finally {
    if (original === undefined) delete util['_extend'];
    else Object.defineProperty(util, '_extend', original);
  }
}
