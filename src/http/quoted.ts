/**
 * How bytes that a peer sent are shown in a sentence: short, in quotes, nothing in them that a terminal obeys, and
 * nothing behind a name that promises a secret: sentences go to the log and to the client.
 */

import { SECRET_PART } from './secret-names.ts';

const MAX_SHOWN_CHARACTERS = 60;

export function quoted(text: string): string {
  const name = SECRET_PART.exec(text);
  const end = name === null ? text.length : name.index + name[0].length;
  const shownEnd = Math.min(end, MAX_SHOWN_CHARACTERS);
  const shown = shownEnd < text.length ? `${text.slice(0, shownEnd)}…` : text;
  return `"${shown.replace(/[^\x20-\x7e\xa0-\xff…]|["\\]/g, escaped)}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
