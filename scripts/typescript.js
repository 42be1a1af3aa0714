/**
 * Lets Node run this repository's TypeScript: `node --import ./scripts/typescript.js scripts/x.ts`.
 *
 * Node 24 does that by itself: it is the first that leaves types out and knows `await using`. For the Nodes
 * before, the scripts are compiled into a folder that nobody sees, and a loader gives Node the compiled text
 * under the URL of the TypeScript file, so that stack traces and `import.meta` name the real file.
 */

import { execFileSync } from 'node:child_process';
import { createRequire, register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = path.dirname(import.meta.dirname);
const COMPILED = path.join(ROOT, 'node_modules', '.cache', 'lastbyte-scripts');

if (Number.parseInt(process.versions.node, 10) < 24) {
  compile();
  const compiled = pathToFileURL(`${COMPILED}/`).href;
  register('./typescript-loader.js', import.meta.url, {
    data: { root: pathToFileURL(`${ROOT}/`).href, compiled },
  });
}

/** Types are the affair of `npm run typecheck`: here a type error must not keep a script from running. */
function compile() {
  const require = createRequire(import.meta.url);
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const project = path.join(import.meta.dirname, 'tsconfig.json');
  const args = ['-p', project, '--noCheck', '--noEmit', 'false', '--rootDir', ROOT, '--outDir', COMPILED];
  execFileSync(process.execPath, [tsc, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
}
