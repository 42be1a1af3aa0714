/**
 * Makes what is published of src/, in dist/ beside its declarations: one file for each entry, what they share in dist/chunks/,
 * the inspector's page, and the licences of the packages whose code is inside. `npm run build` runs it (decision 18).
 */

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'rolldown';

const ROOT = path.join(import.meta.dirname, '..');
const SRC = path.join(ROOT, 'src');
const DIST = path.join(ROOT, 'dist');
const ENTRIES = ['bin', 'index', 'middleware', 'vite'];

/**
 * What is imported is bundled. http-proxy and yaml stay packages: they are required where they are needed
 * (src/http-proxy/passes.ts, src/config/config-file.ts).
 */
async function bundle(): Promise<ReadonlySet<string>> {
  const { output } = await build({
    input: ENTRIES.map((name) => path.join(SRC, `${name}.ts`)),
    platform: 'node',
    output: {
      dir: DIST,
      format: 'esm',
      entryFileNames: '[name].js',
      // A folder deep, as their sources are: package.json and the page are found from there.
      chunkFileNames: 'chunks/[name].js',
      // Names and lines stay, for stack traces; comments are a third of what Node would have to read.
      comments: false,
    },
  });
  return new Set(output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds.map(packageFolder) : [])));
}

/** Empty: a module of our own, or of the bundler. */
function packageFolder(moduleId: string): string {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(moduleId.replaceAll('\\', '/'))?.[0] ?? '';
}

function licenceOf(folder: string): string {
  const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined) throw new Error(`${name} ${version} has no file with its licence.`);
  return `${name} ${version}\n\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`;
}

const folders = [...(await bundle())].filter((folder) => folder !== '');
const licences = new Set(folders.map(licenceOf));
writeFileSync(path.join(DIST, 'licences.txt'), [...licences].sort().join(`\n${'-'.repeat(80)}\n\n`));
cpSync(path.join(SRC, 'observe', 'page'), path.join(DIST, 'observe', 'page'), {
  recursive: true,
  filter: (file) => !file.endsWith('.json'),
});
