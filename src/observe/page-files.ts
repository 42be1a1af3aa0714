/** The inspector's page: its files, as they lie beside this module. What they ask for is docs/api.md. */

import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { problemAnswer } from './pages.ts';
import type { AdminAnswer, AdminPage } from './pages.ts';

const FOLDER = join(import.meta.dirname, 'page');

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
]);

/** Nothing from elsewhere, nothing inline: what a traffic's bodies and fields say can never become a script. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function pageFiles(): readonly AdminPage[] {
  const served = new Set(readdirSync(FOLDER).filter((name) => TYPES.has(extname(name))));
  return [
    { path: '/', method: 'GET', answer: () => fileAnswer('index.html') },
    {
      path: '/page/:id',
      method: 'GET',
      answer: ({ id }) =>
        served.has(id) ? fileAnswer(id) : problemAnswer(404, 'The page has no such file.'),
    },
  ];
}

async function fileAnswer(name: string): Promise<AdminAnswer> {
  return {
    kind: 'whole',
    status: 200,
    contentType: TYPES.get(extname(name)) ?? 'application/octet-stream',
    body: await readFile(join(FOLDER, name)),
    fields: { 'Content-Security-Policy': POLICY },
  };
}
