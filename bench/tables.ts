/** Tables and figures of a run, as Markdown; and where they go in docs/performance.md. */

import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const DOCUMENT = fileURLToPath(new URL('../docs/performance.md', import.meta.url));

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, at) => (at === 0 ? '---' : '--:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Three figures that mean something. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function mib(bytes: number): string {
  return figure(bytes / 1024 / 1024);
}

export function machine(): string {
  const models = cpus();
  return `${models.length} × ${models[0]?.model ?? 'unknown'}, Linux, Node ${process.versions.node}`;
}

/** Puts a text between the marks of a case. @throws where the document has none */
export function writeToDocument(mark: string, text: string): void {
  const place = new RegExp(`(<!-- ${mark}: begin -->\\n)[\\s\\S]*(<!-- ${mark}: end -->)`);
  const document = readFileSync(DOCUMENT, 'utf8');
  if (!place.test(document)) throw new Error(`${DOCUMENT} has no place for ${mark}`);
  writeFileSync(
    DOCUMENT,
    document.replace(place, (_, begin: string, end: string) => `${begin}\n${text}\n\n${end}`),
  );
}
