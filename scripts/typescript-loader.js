/** Module hooks for Nodes that cannot read TypeScript (https://nodejs.org/docs/latest-v20.x/api/module.html#customization-hooks). */

import { readFile } from 'node:fs/promises';

/** @type {{ root: string, compiled: string }} */
let folders = { root: '', compiled: '' };

/** @param {{ root: string, compiled: string }} data */
export function initialize(data) {
  folders = data;
}

/**
 * The compiler has written `./x.js` where the source says `./x.ts`.
 *
 * @type {import('node:module').ResolveHook}
 */
export async function resolve(specifier, context, nextResolve) {
  const fromTypeScript = context.parentURL?.endsWith('.ts') === true && specifier.startsWith('.');
  if (!fromTypeScript || !specifier.endsWith('.js')) return await nextResolve(specifier, context);
  try {
    return await nextResolve(specifier.replace(/\.js$/, '.ts'), context);
  } catch {
    return await nextResolve(specifier, context);
  }
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  const ours = url.startsWith(folders.root) && url.endsWith('.ts') && !url.includes('/node_modules/');
  if (!ours) return await nextLoad(url, context);
  const compiled = folders.compiled + url.slice(folders.root.length).replace(/\.ts$/, '.js');
  return { format: 'module', source: await readFile(new URL(compiled)), shortCircuit: true };
}
