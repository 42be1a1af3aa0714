/** Loads http-proxy, for us alone, without the deprecated function that it would warn about. */

import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import type HttpProxy from 'http-proxy';

type Loaded = typeof HttpProxy;

/**
 * http-proxy 1.18.1 takes `util._extend` once, when it is loaded. Calling it prints DEP0060 on Node 22 and later, and
 * it turns the order of the fields round (test/facts/http-proxy-passes.test.ts). It gets `Object.assign` instead.
 * The copy is our own: an application may have loaded http-proxy before, or load it after us and expect the original.
 */
export function loadHttpProxy(): Loaded {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('http-proxy')) + sep;
  const util = require('node:util') as Record<string, unknown>;
  const original = Object.getOwnPropertyDescriptor(util, '_extend');
  const others = takeFromCache(require, folder);
  Object.defineProperty(util, '_extend', {
    value: Object.assign,
    configurable: true,
    writable: true,
    enumerable: true,
  });
  try {
    return require('http-proxy') as Loaded;
  } finally {
    takeFromCache(require, folder);
    Object.assign(require.cache, others);
    if (original === undefined) delete util['_extend'];
    else Object.defineProperty(util, '_extend', original);
  }
}

function takeFromCache(require: NodeJS.Require, folder: string): NodeJS.Dict<NodeModule> {
  const taken: NodeJS.Dict<NodeModule> = {};
  for (const path of Object.keys(require.cache).filter((name) => name.startsWith(folder))) {
    taken[path] = require.cache[path];
    delete require.cache[path];
  }
  return taken;
}
