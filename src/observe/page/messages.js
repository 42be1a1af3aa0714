/** Shows requests and responses: start line, fields, body. */

/** @import { Body, FieldPair, FullView, ResponseView } from '../inspector/types.ts' */

import { bodyBlock } from './body.js';
import { make } from './dom.js';
import { exactBytes } from './words.js';

/** @typedef {{ readonly name: string, readonly content: HTMLElement }} Part */

/** @param {FullView} full @returns {Part[]} */
export function messagesOf({ id, request, response, attempts, method, path, http, outcome }) {
  const fileOf = (/** @type {string} */ side) => `/api/exchanges/${id}/${side}-body`;
  const line = `${method} ${path} HTTP/${http}`;
  const parts = [message('Request', line, request.fields, request.body, '', fileOf('request'))];
  if (response !== null) parts.push(responseOf('Response to the client', response, '', fileOf('response')));
  for (const [at, attempt] of attempts.entries()) {
    const last = at === attempts.length - 1 && outcome !== 'refused' && outcome !== 'cut';
    if (attempt.response === null || last) continue;
    const { expected, received, verdict } = attempt;
    const of = expected === null ? '' : ` of ${exactBytes(expected)}`;
    const note =
      verdict === 'complete' ? '' : `Only this part was received: ${exactBytes(received)}${of} bytes.`;
    parts.push(responseOf(`What the upstream sent, attempt ${at + 1}`, attempt.response, note, null));
  }
  return parts;
}

/** @param {ResponseView} response */
export function statusLine({ version, status, reason }) {
  return `HTTP/${version} ${status} ${reason}`;
}

/** @param {string} name @param {ResponseView} response @param {string} note @param {string | null} file */
function responseOf(name, response, note, file) {
  return message(name, statusLine(response), response.fields, response.body, note, file);
}

/**
 * @param {string} name
 * @param {string} line
 * @param {readonly FieldPair[]} fields
 * @param {Body | null} body
 * @param {string} note
 * @param {string | null} file
 * @returns {Part}
 */
function message(name, line, fields, body, note, file) {
  const list = make('dl', { class: 'fields' });
  for (const [field, value] of fields) {
    const said = value === '[redacted]' ? make('em', {}, value) : value;
    list.append(make('div', {}, make('dt', {}, field), make('dd', {}, said)));
  }
  const content = make('div', { class: 'message' }, make('p', { class: 'start-line' }, line), list);
  if (note !== '') content.append(make('p', { class: 'note' }, note));
  if (body !== null) content.append(bodyBlock(body, fields, file, name));
  return { name, content };
}
