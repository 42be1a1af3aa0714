/** Compares two exchanges: what differs in their heads, and in their bodies if those are text. */

/** @import { Body, FieldPair, FullView, Row } from '../inspector/types.ts' */
/** @import { DiffLine } from './diff.js' */

import { make } from './dom.js';
import { diffLines } from './diff.js';
import { prettyJson } from './json.js';
import { statusLine } from './messages.js';
import { exactBytes } from './words.js';

/** Equal lines shown around each difference. */
const CONTEXT = 3;
/** As many as a person would look through. */
const MAX_CHOICES = 100;

/**
 * The choice of exchanges to compare with: those with the same path first.
 *
 * @param {FullView} full
 * @param {readonly Row[]} rows newest first
 * @param {string} against the id that is chosen; empty: none is
 * @param {(id: string) => void} chosen empty: none
 */
export function compareChoice(full, rows, against, chosen) {
  const others = rows.filter(({ id, state }) => id !== full.id && state === 'done');
  const near = others.filter(({ path }) => path === full.path);
  const far = others.filter(({ path }) => path !== full.path);
  const select = make(
    'select',
    { 'aria-label': 'Compare with' },
    make('option', { value: '' }, 'Compare with …'),
  );
  for (const row of [...near, ...far].slice(0, MAX_CHOICES)) {
    const of = row.id === full.replay_of ? ' (the original)' : '';
    const name = `#${row.number} ${row.method} ${row.path} ${row.status ?? ''}${of}`;
    select.append(make('option', { value: row.id }, name));
  }
  select.value = against;
  select.disabled = others.length === 0;
  select.addEventListener('change', () => chosen(select.value));
  return select;
}

/** @param {FullView} from @param {FullView} to */
export function comparisonOf(from, to) {
  const title = make('h3', {}, `Compared with #${from.number}`);
  const key = make('p', { class: 'caption' }, `− only in #${from.number}, + only in #${to.number}`);
  const parts = [
    part('Request head', requestHead(from), requestHead(to)),
    bodies('Request body', from.request.body, to.request.body),
    part('Response head', responseHead(from), responseHead(to)),
    bodies('Response body', from.response?.body ?? null, to.response?.body ?? null),
  ];
  return make('section', { class: 'comparison', 'aria-label': 'Comparison' }, title, key, ...parts);
}

/** @param {FullView} full */
function requestHead({ method, path, http, request }) {
  return [`${method} ${path} HTTP/${http}`, ...fieldLines(request.fields)];
}

/** @param {FullView} full */
function responseHead({ response }) {
  return response === null ? [] : [statusLine(response), ...fieldLines(response.fields)];
}

/** @param {readonly FieldPair[]} fields */
function fieldLines(fields) {
  return fields.map(([name, value]) => `${name}: ${value}`);
}

/** @param {string} name @param {Body | null} from @param {Body | null} to */
function bodies(name, from, to) {
  if (from?.encoding === 'base64' || to?.encoding === 'base64') {
    const isSame = from?.content === to?.content && from?.bytes === to?.bytes;
    return told(name, isSame ? 'equal' : `not text: ${sizeOf(from)} and ${sizeOf(to)}, which differ`);
  }
  const isPart = from?.whole === false || to?.whole === false;
  return part(isPart ? `${name}, as far as it is kept` : name, textLines(from), textLines(to));
}

/** @param {Body | null} body */
function sizeOf(body) {
  return body === null ? 'no body' : `${exactBytes(body.bytes)} bytes`;
}

/** @param {Body | null} body */
function textLines(body) {
  if (body === null || body.content === '') return [];
  return (prettyJson(body.content) ?? body.content).split(/\r?\n/);
}

/** @param {string} name @param {readonly string[]} from @param {readonly string[]} to */
function part(name, from, to) {
  const lines = diffLines(from, to);
  const changes = lines.filter(({ kind }) => kind !== 'same').length;
  if (changes === 0) return told(name, lines.length === 0 ? 'none' : 'equal');
  const pre = make('pre', { class: 'diff', tabindex: '0', role: 'region', 'aria-label': name });
  pre.append(...shortened(lines).map((line) => (typeof line === 'number' ? gap(line) : drawn(line))));
  return make('div', {}, make('h4', {}, name), pre);
}

/** @param {string} name @param {string} sentence */
function told(name, sentence) {
  return make('p', { class: 'equal' }, make('strong', {}, name), `: ${sentence}`);
}

const MARKS = { same: ' ', gone: '−', new: '+' };

/** @param {DiffLine} line */
function drawn({ kind, text }) {
  const name = { same: 'span', gone: 'del', new: 'ins' };
  const element = document.createElement(name[kind]);
  element.textContent = `${MARKS[kind]} ${text}\n`;
  return element;
}

/** @param {number} count */
function gap(count) {
  return make('span', { class: 'gap' }, `  … ${count} equal ${count === 1 ? 'line' : 'lines'}\n`);
}

/** Equal lines far from any change as their number. @param {readonly DiffLine[]} lines @returns {(DiffLine | number)[]} */
function shortened(lines) {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ kind }) => kind !== 'same'),
  );
  /** @type {(DiffLine | number)[]} */
  const shown = [];
  for (const [at, line] of lines.entries()) {
    const last = shown.at(-1);
    if (near[at]) shown.push(line);
    else if (typeof last === 'number') shown[shown.length - 1] = last + 1;
    else shown.push(1);
  }
  return shown;
}
