/** Words of a command that people copy into their shell: the inspector's curl and that of `diagnose --curl`. */

/**
 * One word for bash, zsh, ksh or busybox that stands for exactly these bytes, on one line, and with nothing in it that a
 * shell, a line editor or a terminal obeys: where a command is pasted, a control character is a key that was pressed
 * (ETX throws away what was typed so far, and what comes after it is run). A string stands for its UTF-8.
 */
export function shellWord(word: string | Buffer): string {
  const text = typeof word === 'string' ? word : utf8(word);
  if (text !== null && PLAIN.test(text)) return text;
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

/** Means itself everywhere; `=` at the start of a word is an expansion of zsh. */
const PLAIN = /^[\w./:,@%+-][\w./:=,@%+-]*$/;
/** Controls, formats (such as the ones that turn the direction of writing) and every space but the plain one. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

function utf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** ANSI-C quoting. Octal escapes of three digits end on their own in every shell; `!` would be history in some. */
function escaped(word: string | Buffer): string {
  const bytes = typeof word === 'string' ? Buffer.from(word) : word;
  return bytes
    .toString('latin1')
    .replace(
      /[^\x20-\x7e]|['\\!]/g,
      (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
    );
}
