/** Shows a body: formatted JSON, images, other text unchanged, and a hex dump of bytes; each with a download link. */

/** @import { Body, FieldPair } from '../inspector/types.ts' */

import { button, make } from './dom.js';
import { prettyJson } from './json.js';
import { exactBytes } from './words.js';

/** Enough for a panel; the download has everything that is kept. */
const PREVIEW_CHARACTERS = 20_000;
const IMAGES = /^image\/(?:png|jpeg|gif|webp|avif|svg\+xml)\b/i;

/**
 * @param {Body} body
 * @param {readonly FieldPair[]} fields
 * @param {string | null} file where it is served; null: it is not
 * @param {string} name of the message
 */
export function bodyBlock(body, fields, file, name) {
  const type = fields.find(([field]) => field.toLowerCase() === 'content-type')?.[1] ?? '';
  const tools = make('div', { class: 'tools' });
  const caption = make('p', { class: 'caption' }, captionOf(body, type));
  const block = make('div', { class: 'body' }, make('div', { class: 'bar' }, caption, tools));
  if (body.kept === 0) return block;
  const image = imageOf(body, type);
  if (image !== null) {
    block.append(image);
  } else {
    const raw = body.encoding === 'base64' ? hexOf(body.content) : body.content;
    const pretty = body.encoding === 'text' && body.whole ? prettyJson(raw) : null;
    const label = `${name}: body`;
    const shown = make('div', {}, ...textOf(pretty ?? raw, label));
    block.append(shown);
    // Not if it is formatted already.
    if (pretty !== null && pretty !== raw.trim())
      tools.append(rawToggle((isRaw) => shown.replaceChildren(...textOf(isRaw ? raw : pretty, label))));
  }
  if (file !== null) tools.append(make('a', { class: 'button small', href: file, download: '' }, 'Download'));
  return block;
}

/** @param {Body} body @param {string} type */
function captionOf({ bytes, kept, whole, encoding }, type) {
  const size = whole
    ? `${exactBytes(bytes)} bytes`
    : `the first ${exactBytes(kept)} of ${exactBytes(bytes)} bytes`;
  const kind = type.split(';', 1)[0] ?? '';
  return ['Body', size, ...(kind === '' ? [] : [kind]), ...(encoding === 'base64' ? ['not text'] : [])].join(
    ' · ',
  );
}

/** @param {Body} body @param {string} type */
function imageOf({ encoding, whole, content }, type) {
  const [media] = IMAGES.exec(type) ?? [];
  // An SVG is text, and cannot run scripts when it is shown as an image.
  const isDrawing = media?.toLowerCase() === 'image/svg+xml';
  if (media === undefined || !whole || isDrawing !== (encoding === 'text')) return null;
  const source = isDrawing
    ? `data:image/svg+xml,${encodeURIComponent(content)}`
    : `data:${media};base64,${content}`;
  return make('img', { src: source, alt: `The body, as ${media}` });
}

/** @param {(isRaw: boolean) => void} show */
function rawToggle(show) {
  const toggle = button(
    'Raw',
    () => {
      const isRaw = toggle.getAttribute('aria-pressed') !== 'true';
      toggle.setAttribute('aria-pressed', String(isRaw));
      show(isRaw);
    },
    { class: 'small', 'aria-pressed': 'false', title: 'As it was sent' },
  );
  return toggle;
}

/** @param {string} text @param {string} label @returns {HTMLElement[]} */
function textOf(text, label) {
  const shown = text.slice(0, PREVIEW_CHARACTERS);
  const pre = make('pre', { tabindex: '0', role: 'region', 'aria-label': label }, shown);
  return text.length > shown.length
    ? [
        pre,
        make('p', { class: 'note' }, 'The preview ends here. Download it to see everything that was kept.'),
      ]
    : [pre];
}

const HEX_BYTES = 512;

/** @param {string} base64 */
function hexOf(base64) {
  // Four base64 characters are three bytes.
  const bytes = atob(base64.slice(0, Math.ceil(HEX_BYTES / 3) * 4)).slice(0, HEX_BYTES);
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const line = bytes.slice(at, at + 16);
    const hex = Array.from(line, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
    const printable = line.replaceAll(/[^ -~]/g, '.');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${printable}`);
  }
  return lines.join('\n');
}
