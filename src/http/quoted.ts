/** How octets that a peer sent are shown in a sentence: short, in quotes, nothing in them that a terminal obeys. */

const MAX_SHOWN_CHARACTERS = 60;

export function quoted(text: string): string {
  const shown = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
  return `"${shown.replace(/[^\x20-\x7e\xa0-\xff…]|["\\]/g, escaped)}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
