/** Draws an exchange's timeline: a lane for each step, all on one scale, and a table of the same moments. */

/** @import { FullView } from '../inspector/types.ts' */
/** @import { Lane } from './moments.js' */

import { make } from './dom.js';
import { lanesOf, momentsOf } from './moments.js';
import { exactBytes, timeWords } from './words.js';

/** @param {FullView} full @param {boolean} unfolded */
export function timelineOf(full, unfolded) {
  const lanes = lanesOf(full);
  const end = Math.max(
    0.1,
    ...lanes.flatMap(({ spans, marks }) => [...spans.map((s) => s.to), ...marks.map((m) => m.at)]),
  );
  const picture = make('div', { class: 'lanes' }, ...lanes.map((lane) => drawn(lane, end)), scale(end));
  return make('figure', { class: 'timeline' }, picture, moments(lanes, unfolded));
}

/** @param {Lane} lane @param {number} end */
function drawn({ name, end: ending, tone, spans, marks, bar }, end) {
  const track = make('div', { class: 'track', 'aria-hidden': 'true' });
  for (const { kind, from, to, text } of spans) {
    const title = `${text}: ${timeWords(from)} to ${timeWords(to)}`;
    const piece = make('span', { class: `piece ${kind}`, title });
    // The policy forbids style attributes, not the object model.
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

/** @param {readonly Lane[]} lanes @param {boolean} unfolded */
function moments(lanes, unfolded) {
  const head = make(
    'tr',
    {},
    ...['at', 'lasted', 'step', 'what'].map((name) => make('th', { scope: 'col' }, name)),
  );
  const rows = momentsOf(lanes).map(({ at, lasted, who, text }) =>
    make(
      'tr',
      {},
      make('td', { class: 'number' }, timeWords(at)),
      make('td', { class: 'number' }, lasted === null ? '' : timeWords(lasted)),
      make('td', {}, who),
      make('td', {}, text),
    ),
  );
  const table = make('table', { class: 'moments' }, make('thead', {}, head), make('tbody', {}, ...rows));
  const folded = make(
    'details',
    { 'data-fold': 'moments' },
    make('summary', {}, 'Every moment as a table'),
    table,
  );
  folded.open = unfolded;
  return folded;
}
