/** The page: connects feed, list, filter and detail, and handles the keyboard. */

/** @import { Row } from '../inspector/types.ts' */

import { addressOf, closedAddress, comparedAddress, replaceShown, shown } from './address.js';
import { showBand } from './band.js';
import { Detail } from './detail.js';
import { byId } from './dom.js';
import { showEmpty } from './empty.js';
import { follow } from './feed.js';
import { apiQuery, FILTER_NAMES, rowTest } from './filter.js';
import { List } from './list.js';
import { Store } from './store.js';

const form = byId('filter', HTMLFormElement);
const pause = byId('pause', HTMLButtonElement);
const har = byId('har', HTMLAnchorElement);
const count = byId('count', HTMLParagraphElement);
const connection = byId('connection', HTMLParagraphElement);
const store = new Store();
const list = new List();
const detail = new Detail({
  rows: () => store.newest,
  open: (id) => {
    location.hash = addressOf(id);
  },
  compare: (id) => {
    location.hash = comparedAddress(id);
  },
  close,
});
const help = byId('help', HTMLDialogElement);
const more = byId('more', HTMLButtonElement);

/** Where clients reach the proxy, and what it passes on to; null: not known yet. @type {{ readonly url: string, readonly target: string } | null} */
let route = null;

/** What stands still while it is paused; null: it is not. @type {readonly Row[] | null} */
let held = null;
let drawing = false;

/** The list is drawn at most once per frame, and not at all in a hidden tab. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const rows = held ?? store.newest;
    const passing = rows.filter(rowTest(shown()));
    if (passing.length === 0) showEmpty(rows.length > 0, route, clearFilter);
    list.show(passing);
    const newer =
      held === null ? 0 : store.newest.filter(({ number }) => number > (rows[0]?.number ?? 0)).length;
    const paused = held === null ? '' : `, paused: ${newer} more since`;
    count.textContent = `${passing.length} of ${rows.length} shown${paused}`;
  });
}

/** The address is the state: controls and panel are updated from it. */
function obey() {
  const wanted = shown();
  for (const name of FILTER_NAMES) {
    const control = form.elements.namedItem(name);
    const value = wanted.get(name) ?? '';
    if (control instanceof HTMLInputElement && control.type === 'checkbox') control.checked = value === '1';
    else if (control instanceof HTMLInputElement || control instanceof HTMLSelectElement)
      if (control.value !== value) control.value = value;
  }
  har.href = `/api/har${apiQuery(wanted)}`;
  const id = wanted.get('open') ?? '';
  list.mark(id);
  detail.open(id, wanted.get('against') ?? '');
  draw();
}

function filterChanged() {
  const wanted = shown();
  const fields = new FormData(form);
  for (const name of FILTER_NAMES) {
    const value = fields.get(name);
    if (typeof value === 'string' && value !== '') wanted.set(name, value);
    else wanted.delete(name);
  }
  replaceShown(wanted);
  list.refresh();
  obey();
}

function clearFilter() {
  form.reset();
  filterChanged();
  form.querySelector('input')?.focus();
}

function togglePause() {
  held = held === null ? store.newest : null;
  pause.setAttribute('aria-pressed', String(held !== null));
  draw();
}

function close() {
  const id = detail.id;
  location.hash = closedAddress();
  list.focus(id);
}

/** @param {KeyboardEvent} event */
function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null)
    return;
  const { target } = event;
  const typing =
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && target.type !== 'checkbox');
  if (event.key === 'Escape' && detail.id !== '') close();
  else if (event.key === 'Escape' && typing) list.focus('');
  else if (typing || target instanceof HTMLSelectElement) return;
  else if (event.key === '/') form.querySelector('input')?.focus();
  else if (event.key === 'p') togglePause();
  else if (event.key === '?') help.showModal();
  else return;
  event.preventDefault();
}

form.addEventListener('input', filterChanged);
form.addEventListener('submit', (event) => event.preventDefault());
pause.addEventListener('click', togglePause);
byId('help-open', HTMLButtonElement).addEventListener('click', () => help.showModal());
byId('help-close', HTMLButtonElement).addEventListener('click', () => help.close());
more.addEventListener('click', () => {
  const isOpen = form.classList.toggle('unfolded');
  more.setAttribute('aria-expanded', String(isOpen));
});
addEventListener('hashchange', obey);
addEventListener('keydown', key);
follow({
  row: (row) => {
    store.put(row);
    detail.changed(row);
    draw();
  },
  summary: (summary) => {
    route = summary;
    showBand(summary);
    draw();
  },
  restarted: () => {
    store.clear();
    held = null;
    draw();
  },
  connection: (state) => {
    connection.dataset['state'] = state;
    connection.textContent = state === 'live' ? '● live' : '○ not connected, trying again';
  },
});
obey();
