/** The documents of the repository, and what stands in them: fenced blocks, links, anchors. */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '..', '..');

export interface Block {
  /** The document, from the root. */
  readonly file: string;
  readonly language: string;
  readonly text: string;
}

const PLACES = ['docs', 'examples', 'bench'];
/** What tools put there, and what a user of an example installs. */
const NOT_OURS = /(?:^|\/)(?:node_modules|dist|\.venv)\//;

export const DOCUMENTS: readonly string[] = [
  ...markdownIn('.', false),
  ...PLACES.flatMap((place) => markdownIn(place, true)),
].sort();

function markdownIn(place: string, recursive: boolean): string[] {
  const folder = path.join(ROOT, place);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.md') && !NOT_OURS.test(file))
    .map((file) => path.join(place, file));
}

export const textOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

function blocksOf(file: string): readonly Block[] {
  const found = textOf(file).matchAll(/^```([a-z]+)\n([\s\S]*?)^```$/gm);
  return [...found].map(([, language = '', text = '']) => ({ file, language, text }));
}

export const BLOCKS: readonly Block[] = DOCUMENTS.flatMap(blocksOf);

/** A block whose first line names its file: `// vite.config.js`. @throws when there is none */
export function fileIn(document: string, name: string): string {
  const block = blocksOf(document).find(({ text }) => /^(?:\/\/|#) (.+)\n/.exec(text)?.[1] === name);
  if (block === undefined) throw new Error(`${document} has no ${name}`);
  return block.text;
}

/** Without its fenced blocks, which hold no links. */
export const proseOf = (file: string): string => textOf(file).replaceAll(/^```[\s\S]*?^```$/gm, '');

/** What follows `](`: without addresses of other hosts. */
export function linksOf(file: string): readonly string[] {
  const found = proseOf(file).matchAll(/\]\(([^)\s]+)\)/g);
  return [...found].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/.test(link));
}

/** Addresses of other hosts, in brackets of both kinds. */
export function externalLinksOf(file: string): readonly string[] {
  const found = proseOf(file).matchAll(/(?:\]\(|<)((?:https?|ftp):[^)>\s]*)[)>]/g);
  return [...found].map(([, link = '']) => link);
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(file: string): ReadonlySet<string> {
  const headings = [...proseOf(file).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(headings.map((heading) => slugOf(heading)));
}

function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
