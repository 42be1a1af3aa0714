/** Requests and responses as they are shown: fields, and the part of the body that was kept. */

/** @import { Body, FieldPair, FullView, ResponseView } from '../inspector/types.ts' */

import { make } from './dom.js';
import { exactBytes } from './words.js';

/** More than that nobody reads in a panel; the HAR has all that is kept. */
const PREVIEW_CHARACTERS = 20_000;
const IMAGES = /^image\/(?:png|jpeg|gif|webp|avif)\b/i;

/** @param {FullView} full @returns {{ readonly name: string, readonly content: HTMLElement }[]} */
export function messagesOf({ request, response, attempts, method, path, http, outcome }) {
  const parts = [
    { name: 'Request', content: message(`${method} ${path} HTTP/${http}`, request.fields, request.body, '') },
  ];
  if (response !== null) parts.push({ name: 'Response to the client', content: responseOf(response, '') });
  for (const [at, attempt] of attempts.entries()) {
    const last = at === attempts.length - 1 && outcome !== 'refused' && outcome !== 'cut';
    if (attempt.response === null || last) continue;
    const { expected, received, verdict } = attempt;
    const of = expected === null ? '' : ` of ${exactBytes(expected)}`;
    const note =
      verdict === 'complete' ? '' : `This is the part that came: ${exactBytes(received)}${of} bytes.`;
    parts.push({
      name: `What the upstream sent, try ${at + 1}`,
      content: responseOf(attempt.response, note),
    });
  }
  return parts;
}

/** @param {ResponseView} response @param {string} note */
function responseOf({ version, status, reason, fields, body }, note) {
  return message(`HTTP/${version} ${status} ${reason}`, fields, body, note);
}

/** @param {string} line @param {readonly FieldPair[]} fields @param {Body | null} body @param {string} note */
function message(line, fields, body, note) {
  const list = make('dl', { class: 'fields' });
  for (const [name, value] of fields) {
    const said = value === '[redacted]' ? make('em', {}, value) : value;
    list.append(make('div', {}, make('dt', {}, name), make('dd', {}, said)));
  }
  const content = make('div', { class: 'message' }, make('p', { class: 'start-line' }, line), list);
  if (note !== '') content.append(make('p', { class: 'note' }, note));
  if (body !== null) content.append(...bodyOf(body, fields));
  return content;
}

/** @param {Body} body @param {readonly FieldPair[]} fields @returns {HTMLElement[]} */
function bodyOf({ bytes, kept, whole, encoding, content }, fields) {
  const type = fields.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  const said = whole
    ? `${exactBytes(bytes)} bytes`
    : `the first ${exactBytes(kept)} of ${exactBytes(bytes)} bytes`;
  const coded = encoding === 'base64';
  const caption = make('p', { class: 'caption' }, `Body: ${said}${coded ? ', not text' : ''}`);
  const image = coded && whole ? IMAGES.exec(type) : null;
  if (image !== null) {
    const source = `data:${image[0]};base64,${content}`;
    return [caption, make('img', { src: source, alt: `The body, as ${image[0]}` })];
  }
  const text = coded ? hexOf(content) : content;
  const shown = text.slice(0, PREVIEW_CHARACTERS);
  const pre = make('pre', { tabindex: '0', role: 'region', 'aria-label': 'Body' }, shown);
  const cut =
    text.length > shown.length
      ? [make('p', { class: 'note' }, 'The preview ends here; the HAR has more.')]
      : [];
  return kept === 0 ? [caption] : [caption, pre, ...cut];
}

const HEX_BYTES = 512;

/** @param {string} base64 */
function hexOf(base64) {
  // Four characters are three octets.
  const octets = atob(base64.slice(0, Math.ceil(HEX_BYTES / 3) * 4)).slice(0, HEX_BYTES);
  const lines = [];
  for (let at = 0; at < octets.length; at += 16) {
    const line = octets.slice(at, at + 16);
    const hex = Array.from(line, (octet) => octet.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
    const printable = line.replaceAll(/[^ -~]/g, '.');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${printable}`);
  }
  return lines.join('\n');
}
