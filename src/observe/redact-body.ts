/** Takes secrets out of bodies that are shown: of forms, JSON, links and hidden inputs, by their names. */

import { REDACTED, isSecretName, isSecretParameter, redactUrl } from './redact.ts';

/** Every rule is linear in the length of the text, and leaves alone what it does not know. */
export function redactBody(text: string, mediaType: string): string {
  if (mediaType === 'application/x-www-form-urlencoded') return redactUrl(`?${text}`).slice(1);
  const parts = mediaType.startsWith('multipart/') ? redactParts(text) : text;
  return redactTags(redactQueries(redactMembers(parts)));
}

/** `"access_token": "…"`, also where the text is no whole JSON: a part of it, lines, a script in a page. */
function redactMembers(text: string): string {
  const member = /"((?:[^"\\]|\\.){1,200})"(\s{0,20}:\s{0,20})("(?:[^"\\]|\\.)*"?|[\w.+-]+)/gs;
  return text.replace(member, (all, name: string, colon: string) =>
    isSecretName(name) ? `"${name}"${colon}"${REDACTED}"` : all,
  );
}

/** `?token=…` in a link, wherever it stands. */
function redactQueries(text: string): string {
  return text.replace(/([?&;])([\w.[\]-]{1,100})=([^\s&;"'<>\\]+)/g, (all, mark: string, name: string) =>
    isSecretParameter(name) ? `${mark}${name}=${REDACTED}` : all,
  );
}

/** `<input type="hidden" name="csrfmiddlewaretoken" value="…">`, `<meta name="csrf-token" content="…">`. */
function redactTags(text: string): string {
  return text.replace(/<(?:input|meta)\b[^<>]*/gi, (tag) => {
    const name = /\b(?:name|id)\s?=\s?["']?([^"'\s<>]+)/i.exec(tag)?.[1] ?? '';
    if (!isSecretName(name) && !/\btype\s?=\s?["']?password/i.test(tag)) return tag;
    return tag.replace(/\b(value|content)(\s?=\s?)("[^"]*"?|'[^']*'?|[^\s"'<>]+)/gi, `$1$2"${REDACTED}"`);
  });
}

/** A part of a form (RFC 7578) whose name tells of a secret. */
function redactParts(text: string): string {
  return text
    .split('\r\n--')
    .map((part) => {
      const name = /\bname="([^"]*)"/i.exec(part.slice(0, 1000))?.[1] ?? '';
      const bodyAt = part.indexOf('\r\n\r\n');
      return bodyAt < 0 || !isSecretName(name) ? part : `${part.slice(0, bodyAt + 4)}${REDACTED}`;
    })
    .join('\r\n--');
}
