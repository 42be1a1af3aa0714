/** The dialog to edit a request before it is sent again. */

/** @import { FieldPair, FullView } from '../inspector/types.ts' */

import { byId } from './dom.js';

const dialog = byId('edit', HTMLDialogElement);
const form = byId('edit-form', HTMLFormElement);
const method = byId('edit-method', HTMLInputElement);
const path = byId('edit-path', HTMLInputElement);
const fields = byId('edit-fields', HTMLTextAreaElement);
const body = byId('edit-body', HTMLTextAreaElement);
const bodyNote = byId('edit-body-note', HTMLParagraphElement);
const fault = byId('edit-fault', HTMLParagraphElement);

/** The proxy sets these for what is sent. */
const OWN = /^(?:content-length|transfer-encoding|connection|keep-alive|expect)$/i;

/**
 * @typedef {object} Edit only what was changed
 * @property {string} [method]
 * @property {string} [path]
 * @property {FieldPair[]} [fields]
 * @property {string} [body]
 */

/** What Send does; null: nothing is edited. @type {(() => Promise<void>) | null} */
let submit = null;

/**
 * @param {FullView} full
 * @param {(edit: Edit) => Promise<string | null>} send resolves with what is wrong; null: it was sent
 */
export function editRequest(full, send) {
  method.value = full.method;
  path.value = full.path;
  fields.value = full.request.fields
    .filter(([name]) => !OWN.test(name))
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
  fillBody(full);
  fault.textContent = '';
  const before = values();
  submit = async () => {
    const edit = changes(before, full);
    const wrong = typeof edit === 'string' ? edit : await send(edit);
    if (wrong === null) dialog.close();
    else fault.textContent = wrong;
  };
  dialog.showModal();
  path.focus();
}

/** @param {FullView} full */
function fillBody({ request }) {
  const kept = request.body;
  const isText = kept === null || (kept.encoding === 'text' && kept.whole);
  body.value = kept !== null && isText ? kept.content : '';
  body.readOnly = kept?.encoding === 'base64' && kept.whole;
  bodyNote.textContent = noteOf(kept);
}

/** @param {FullView['request']['body']} kept */
function noteOf(kept) {
  if (kept === null || (kept.encoding === 'text' && kept.whole)) return '';
  return kept.whole ? 'Not text: it is sent unchanged.' : 'It was not kept in full: write a new one here.';
}

function values() {
  return { method: method.value, path: path.value, fields: fields.value, body: body.value };
}

/** @param {ReturnType<typeof values>} before @param {FullView} full @returns {Edit | string} */
function changes(before, { request }) {
  const now = values();
  /** @type {Edit} */
  const edit = {};
  if (now.method !== before.method) edit.method = now.method.trim();
  if (now.path !== before.path) edit.path = now.path.trim();
  if (now.body !== before.body) edit.body = lineEnds(now.body, request.body?.content ?? '');
  if (now.fields !== before.fields) {
    const pairs = pairsOf(now.fields);
    if (typeof pairs === 'string') return pairs;
    edit.fields = pairs;
  }
  return edit;
}

/** A text area knows only \n; a form in parts needs its \r\n. @param {string} text @param {string} original */
function lineEnds(text, original) {
  return /\r\n/.test(original) && !/(?<!\r)\n/.test(original) ? text.replaceAll('\n', '\r\n') : text;
}

/** @param {string} text @returns {FieldPair[] | string} */
function pairsOf(text) {
  /** @type {FieldPair[]} */
  const pairs = [];
  for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
    const colon = line.indexOf(':');
    if (colon < 1) return `"${line}" is not a header field: write Name: value.`;
    pairs.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return pairs;
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void submit?.();
});
byId('edit-cancel', HTMLButtonElement).addEventListener('click', () => dialog.close());
dialog.addEventListener('close', () => {
  submit = null;
});
