/** The list: a table whose rows are created once and updated in place, with keyboard navigation. */

/** @import { Row } from '../inspector/types.ts' */

import { addressOf } from './address.js';
import { byId, make } from './dom.js';
import { clockWords, shape, sizeWords, timeWords, verdictTitle, verdictWords } from './words.js';

/** @typedef {{ readonly element: HTMLTableRowElement, readonly link: HTMLAnchorElement, revision: number }} Shown */

export class List {
  #body = byId('rows', HTMLTableSectionElement);
  #empty = byId('empty', HTMLDivElement);
  /** @type {Map<string, Shown>} */
  #shown = new Map();
  #open = '';

  constructor() {
    this.#body.addEventListener('click', (event) => pressed(event));
    this.#body.addEventListener('keydown', (event) => this.#walk(event));
    this.#body.addEventListener('focusin', ({ target }) => {
      if (target instanceof HTMLAnchorElement) this.#rove(target);
    });
  }

  /** @param {readonly Row[]} rows newest first */
  show(rows) {
    const wanted = new Set(rows.map(({ id }) => id));
    for (const [id, { element }] of this.#shown) {
      if (wanted.has(id)) continue;
      element.remove();
      this.#shown.delete(id);
    }
    /** @type {Element | null} */
    let place = this.#body.firstElementChild;
    for (const row of rows) {
      const { element } = this.#made(row);
      if (element === place) place = element.nextElementSibling;
      else this.#body.insertBefore(element, place);
    }
    this.#empty.hidden = rows.length > 0;
    this.#keepOneStop();
  }

  /** @param {string} id */
  mark(id) {
    this.#shown.get(this.#open)?.link.removeAttribute('aria-current');
    this.#open = id;
    this.#shown.get(id)?.link.setAttribute('aria-current', 'true');
  }

  /** To be called when the filter changes: the links of the rows contain it. */
  refresh() {
    for (const [id, { link }] of this.#shown) link.href = addressOf(id);
  }

  /** @param {string} id */
  focus(id) {
    (this.#shown.get(id)?.link ?? this.#body.querySelector('a'))?.focus();
  }

  /** @param {Row} row */
  #made(row) {
    const known = this.#shown.get(row.id);
    if (known !== undefined && known.revision === row.revision) return known;
    const made = known ?? emptyRow();
    made.revision = row.revision;
    fill(made, row);
    if (row.id === this.#open) made.link.setAttribute('aria-current', 'true');
    this.#shown.set(row.id, made);
    return made;
  }

  /** The list is one tab stop; the arrow keys move within it. */
  #keepOneStop() {
    if (this.#body.querySelector('a[tabindex="0"]') === null)
      this.#body.querySelector('a')?.setAttribute('tabindex', '0');
  }

  /** @param {HTMLAnchorElement} link */
  #rove(link) {
    for (const other of this.#body.querySelectorAll('a[tabindex="0"]')) other.setAttribute('tabindex', '-1');
    link.setAttribute('tabindex', '0');
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const row = event.target instanceof Element ? event.target.closest('tr') : null;
    const next = step(event.key, row);
    if (next === undefined) return;
    event.preventDefault();
    next?.querySelector('a')?.focus();
  }
}

/** Undefined: no key of the list. @param {string} key @param {HTMLTableRowElement | null} row */
function step(key, row) {
  switch (key) {
    case 'ArrowDown':
      return row?.nextElementSibling;
    case 'ArrowUp':
      return row?.previousElementSibling;
    case 'Home':
      return row?.parentElement?.firstElementChild;
    case 'End':
      return row?.parentElement?.lastElementChild;
    default:
      return undefined;
  }
}

/** The whole row opens what its link names. @param {MouseEvent} event */
function pressed({ target }) {
  if (!(target instanceof Element) || target.closest('a') !== null) return;
  if (getSelection()?.isCollapsed === false) return;
  target.closest('tr')?.querySelector('a')?.click();
}

const CELLS = ['time', 'method', 'path', 'status', 'bytes', 'ms', 'tries', 'verdict'];
const NUMBERS = ['bytes', 'ms', 'tries'];

/** @returns {Shown} */
function emptyRow() {
  const link = make('a', { tabindex: '-1' });
  const element = make('tr', {});
  for (const name of CELLS) {
    const cell = make('td', { class: NUMBERS.includes(name) ? `c-${name} number` : `c-${name}` });
    if (name === 'path') cell.append(link);
    element.append(cell);
  }
  return { element, link, revision: 0 };
}

/** @param {Shown} shown @param {Row} row */
function fill({ element, link }, row) {
  element.dataset['severity'] = row.severity;
  element.dataset['id'] = row.id;
  link.href = addressOf(row.id);
  link.textContent = row.path;
  link.title = row.path;
  const sent = row.status === null ? '–' : String(row.status);
  const texts = {
    time: clockWords(row.started_at),
    method: row.method,
    status: row.state === 'running' ? '' : sent,
    bytes: row.state === 'running' ? '' : sizeWords(row.bytes),
    ms: row.ms === null ? '' : timeWords(row.ms),
    tries: row.state === 'running' ? '' : String(row.tries),
  };
  for (const [name, text] of Object.entries(texts)) {
    const cell = element.querySelector(`.c-${name}`);
    if (cell !== null) cell.textContent = text;
  }
  const mark = make('span', { class: 'shape', 'aria-hidden': 'true' }, shape(row));
  const replayed = row.replay_of === null ? '' : ' (replay)';
  const verdict = element.querySelector('.c-verdict');
  verdict?.replaceChildren(mark, ` ${verdictWords(row)}${replayed}`);
  verdict?.setAttribute('title', verdictTitle(row));
}
