/** The text of an empty list: how to send the first request, or that the filter hides all exchanges. */

import { button, byId, make } from './dom.js';
import { copied } from './replay.js';

const empty = byId('empty', HTMLDivElement);
/** The text that is shown now. */
let shown = '';

/**
 * @param {boolean} isFiltered whether there are exchanges that the filter hides
 * @param {{ readonly url: string, readonly target: string } | null} route null: not known yet
 * @param {() => void} clearFilter
 */
export function showEmpty(isFiltered, route, clearFilter) {
  const wanted = isFiltered ? 'filtered' : `${route?.url} ${route?.target}`;
  if (wanted === shown) return;
  shown = wanted;
  empty.replaceChildren(...(isFiltered ? filtered(clearFilter) : waiting(route)));
}

/** @param {() => void} clearFilter */
function filtered(clearFilter) {
  return [make('p', {}, 'No exchange matches the filter.'), button('Clear the filter', clearFilter)];
}

/** @param {{ readonly url: string, readonly target: string } | null} route */
function waiting(route) {
  const title = make('h3', {}, 'No requests yet.');
  if (route === null) return [title];
  // Inside another server, the address is known only after the first request.
  if (route.url === '') return [title, make('p', {}, 'Send one through the server that runs lastbyte.')];
  const isSocket = route.url.startsWith('unix:');
  const command = isSocket
    ? `curl -i --unix-socket ${route.url.slice('unix:'.length)} http://localhost/`
    : `curl -i ${route.url}/`;
  const said = make('p', { role: 'status' });
  const say = (/** @type {string} */ sentence) => {
    said.textContent = sentence;
  };
  const copy = button('Copy', () => void copied(command, say), { class: 'small' });
  return [
    title,
    make(
      'p',
      {},
      'Point your client at ',
      make('code', {}, route.url),
      ' instead of ',
      make('code', {}, route.target),
      ', or try:',
    ),
    make('p', { class: 'try' }, make('code', {}, command), copy),
    said,
  ];
}
