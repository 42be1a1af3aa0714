/** Which server a folder is developed with, as far as its files tell without a doubt. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Served {
  /** The server's name, as its users say it. */
  readonly server: string;
  /** The file that told. */
  readonly file: string;
  /** Where it listens unless told otherwise. */
  readonly port: number;
}

const FLASK = /^\s*(from|import) flask\b/m;

/** `flask run` looks for these two files by itself (Flask's documentation, "Application Discovery"). */
const CLUES: readonly (Served & { readonly mark: RegExp })[] = [
  { server: 'Django', file: 'manage.py', mark: /DJANGO_SETTINGS_MODULE/, port: 8000 },
  { server: 'Flask', file: 'app.py', mark: FLASK, port: 5000 },
  { server: 'Flask', file: 'wsgi.py', mark: FLASK, port: 5000 },
];

export function servedIn(folder: string): Served | null {
  return CLUES.find(({ file, mark }) => mark.test(textOf(join(folder, file)))) ?? null;
}

/** Empty when there is none, or none that may be read: then it tells nothing. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
