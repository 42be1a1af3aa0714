/** Draws the timeline of an exchange: one lane per step, on one scale, with a legend; and the same as a table. */

/** @import { FullView } from '../inspector/types.ts' */
/** @import { Lane } from './moments.js' */

import { make } from './dom.js';
import { lanesOf, momentsOf } from './moments.js';
import { exactBytes, timeWords } from './words.js';

/** The meaning of each kind of span and mark, in order. */
const LEGEND = {
  request: 'request received',
  connect: 'connecting',
  withheld: 'request body withheld',
  body: 'request body sent',
  silence: 'waiting for the first byte',
  response: 'response received',
  wait: 'waiting for the upstream to accept connections',
  delivery: 'response sent to the client',
  linger: 'waiting for the client to close',
};
const MARKS = {
  sent: ['│', 'head sent, first byte'],
  end: ['●', 'end'],
  failed: ['✕', 'failed'],
  fin: ['◀ ▶', "FIN: the client's, lastbyte's"],
};

/** @param {FullView} full */
export function timelineOf(full) {
  const lanes = lanesOf(full);
  const end = Math.max(
    0.1,
    ...lanes.flatMap(({ spans, marks }) => [...spans.map((s) => s.to), ...marks.map((m) => m.at)]),
  );
  const picture = make('div', { class: 'lanes' }, ...lanes.map((lane) => drawn(lane, end)), scale(end));
  return make('figure', { class: 'timeline' }, picture, legend(lanes));
}

/** Of what is in this picture. @param {readonly Lane[]} lanes */
function legend(lanes) {
  const kinds = new Set(lanes.flatMap(({ spans }) => spans.map(({ kind }) => kind)));
  const points = new Set(lanes.flatMap(({ marks }) => marks.map(({ kind }) => kind)));
  const spans = Object.entries(LEGEND).filter(([kind]) => kinds.has(kind));
  const marks = Object.entries(MARKS).filter(([kind]) => points.has(kind));
  return make(
    'figcaption',
    { class: 'legend' },
    ...spans.map(([kind, text]) =>
      make('span', {}, make('i', { class: `piece ${kind}`, 'aria-hidden': 'true' }), text),
    ),
    ...marks.map(([, [shape = '', text = '']]) =>
      make('span', {}, make('b', { 'aria-hidden': 'true' }, shape), text),
    ),
  );
}

/** @param {Lane} lane @param {number} end */
function drawn({ name, end: ending, tone, spans, marks, bar }, end) {
  const track = make('div', { class: 'track', 'aria-hidden': 'true' });
  for (const { kind, from, to, text } of spans) {
    const title = `${text}: ${timeWords(from)} to ${timeWords(to)}`;
    const piece = make('span', { class: `piece ${kind}`, title });
    // The Content-Security-Policy forbids style attributes, but not the CSS object model.
    piece.style.left = share(from, end);
    piece.style.width = share(to - from, end);
    track.append(piece);
  }
  for (const { kind, at, text, mark } of marks) {
    const point = make('span', { class: `mark ${kind}`, title: `${text}: ${timeWords(at)}` }, mark);
    point.style.left = share(at, end);
    track.append(point);
  }
  const told = make('div', { class: 'told' }, make('span', {}, ending));
  if (bar !== null) {
    const label = `${exactBytes(bar.received)} of ${exactBytes(bar.expected)} bytes received`;
    const full = { max: String(bar.expected || 1), value: String(bar.expected === 0 ? 1 : bar.received) };
    told.append(make('progress', { ...full, 'aria-label': label, title: label }));
  }
  return make('div', { class: `lane ${tone}` }, make('div', { class: 'name' }, name), track, told);
}

/** @param {number} ms @param {number} end */
function share(ms, end) {
  return `${((100 * ms) / end).toFixed(3)}%`;
}

/** @param {number} end */
function scale(end) {
  const texts = [0, end / 2, end].map((ms) => make('span', {}, ms === 0 ? '0' : timeWords(ms)));
  return make('div', { class: 'scale', 'aria-hidden': 'true' }, ...texts);
}

/** All of it in order, for those who read rather than look. @param {FullView} full */
export function momentsTable(full) {
  const head = make(
    'tr',
    {},
    ...['at', 'lasted', 'step', 'what'].map((name) => make('th', { scope: 'col' }, name)),
  );
  const rows = momentsOf(lanesOf(full)).map(({ at, lasted, who, text }) =>
    make(
      'tr',
      {},
      make('td', { class: 'number' }, timeWords(at)),
      make('td', { class: 'number' }, lasted === null ? '' : timeWords(lasted)),
      make('td', {}, who),
      make('td', {}, text),
    ),
  );
  return make('table', { class: 'moments' }, make('thead', {}, head), make('tbody', {}, ...rows));
}
