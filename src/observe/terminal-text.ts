/** Text for a terminal or a line of a log: nothing that came from outside is obeyed, and a few colours are ours. */

/** Controls, formats (such as the ones that turn the direction of writing), surrogates, private and unassigned. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const PLAIN = /^[\x20-\x7e]*$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Writes what cannot be seen as an escape, so that one entry stays one line and no terminal obeys it. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code > 0xffff) return `\\u{${code.toString(16)}}`;
    return SHORT[character] ?? (code > 0xff ? `\\u${hex(code, 4)}` : `\\x${hex(code, 2)}`);
  });
}

/** The same for a text that is JSON: its escapes stay JSON's, and its value stays what it was. */
export function printableJson(json: string): string {
  if (PLAIN.test(json)) return json;
  return json.replace(UNPRINTABLE, (character) =>
    // Code units, because JSON writes what lies beyond 16 bits as two escapes (RFC 8259 section 7).
    Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(''),
  );
}

/** Between quotation marks, as Apache's log writes it. */
export function quoted(text: string): string {
  return `"${printable(text.replace(/["\\]/g, '\\$&'))}"`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** The few colours that the log uses (ECMA-48 section 8.3.117). */
const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

export type Paint = keyof typeof CODES;

export function paint(text: string, color: Paint, enabled: boolean): string {
  return enabled ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;
}
