/** Text for a terminal, and words of a shell command to paste, with nothing in them that either would execute. */

/** Control characters, format characters (e.g. for the text direction), surrogates, private and unassigned ones. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const PLAIN = /^[\x20-\x7e]*$/;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Escapes invisible characters, so that one entry stays one line and the terminal executes nothing. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code > 0xffff) return `\\u{${code.toString(16)}}`;
    return SHORT[character] ?? (code > 0xff ? `\\u${hex(code, 4)}` : `\\x${hex(code, 2)}`);
  });
}

/** The same for JSON: the escapes are JSON's, and its value does not change. */
export function printableJson(json: string): string {
  if (PLAIN.test(json)) return json;
  return json.replace(UNPRINTABLE, (character) =>
    // Code units, because JSON has two escapes for a character beyond 16 bits (RFC 8259 section 7).
    Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(''),
  );
}

/** In quotation marks, as in Apache's log. */
export function quoted(text: string): string {
  return `"${printable(text.replace(/["\\]/g, '\\$&'))}"`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

/** The colors of the log (ECMA-48 section 8.3.117). */
const CODES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;

export type Paint = keyof typeof CODES;

export function paint(text: string, color: Paint, enabled: boolean): string {
  return enabled ? `\u001b[${CODES[color]}m${text}\u001b[0m` : text;
}

/**
 * One word for bash, zsh, ksh or busybox with exactly these bytes, on one line, without anything that a shell, a line editor
 * or a terminal would interpret: in a pasted command, a control character is a key press (ETX discards what was typed so far,
 * and the rest is executed). A string means its UTF-8.
 */
export function shellWord(word: string | Buffer): string {
  const text = typeof word === 'string' ? word : utf8(word);
  if (text !== null && PLAIN_WORD.test(text)) return text;
  if (text !== null && !UNSEEN.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  return `$'${escaped(word)}'`;
}

/** A command that writes these bytes, for any POSIX shell. */
export function bodyWriter(body: Buffer): string {
  const text = utf8(body);
  if (text === null || UNSEEN.test(text.replaceAll('\n', ''))) {
    return `printf %s ${body.toString('base64')} | base64 -d`;
  }
  if (!text.includes('\n')) return `printf %s ${shellWord(text)}`;
  return `printf %b ${shellWord(text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`))}`;
}

/** Needs no quotes in any shell; zsh expands a word that starts with `=`. */
const PLAIN_WORD = /^[\w./:,@%+-][\w./:=,@%+-]*$/;
/** Control characters, format characters (e.g. for the text direction) and every space except U+0020. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

function utf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** ANSI-C quoting, with octal escapes of three digits, which end unambiguously in every shell. `!` is history in some. */
function escaped(word: string | Buffer): string {
  const bytes = typeof word === 'string' ? Buffer.from(word) : word;
  return bytes
    .toString('latin1')
    .replace(
      /[^\x20-\x7e]|['\\!]/g,
      (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
    );
}
