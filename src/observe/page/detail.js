/** The panel of one exchange: what it means, what cures it, its timeline and its messages. */

/** @import { FullView, Row } from '../inspector/types.ts' */

import { button, byId, make } from './dom.js';
import { messagesOf } from './messages.js';
import { actionsOf } from './replay.js';
import { timelineOf } from './timeline.js';
import { clockWords, shape, timeWords, verdictWords } from './words.js';

export class Detail {
  #panel = byId('detail', HTMLElement);
  #opened;
  #id = '';
  /** Folds that a person has opened or closed stay so, from one exchange to the next. @type {Map<string, boolean>} */
  #folds = new Map();
  /** Called when the panel is to be closed. @type {() => void} */
  onClose = () => undefined;

  /** @param {(id: string) => void} opened shows another exchange */
  constructor(opened) {
    this.#opened = opened;
  }

  /** Of the exchange that is shown; empty: none is. */
  get id() {
    return this.#id;
  }

  /** @param {string} id empty: closes it */
  open(id) {
    if (id === this.#id) return;
    this.#id = id;
    document.body.classList.toggle('opened', id !== '');
    this.#panel.hidden = id === '';
    this.#panel.replaceChildren();
    if (id === '') return;
    this.#panel.scrollTop = 0;
    void this.#load(true);
  }

  /** Something was added to an exchange. @param {Row} row */
  changed({ id }) {
    if (id === this.#id) void this.#load(false);
  }

  /** @param {boolean} focus */
  async #load(focus) {
    const id = this.#id;
    const content = await contentOf(id, (full) => this.#content(full));
    // Another one may have been opened meanwhile.
    if (id !== this.#id) return;
    const scrolled = this.#panel.scrollTop;
    this.#panel.replaceChildren(...content, this.#closeButton());
    this.#panel.scrollTop = scrolled;
    if (focus) this.#panel.focus({ preventScroll: true });
  }

  #closeButton() {
    return button('✕', () => this.onClose(), {
      class: 'close',
      'aria-label': 'Close',
      title: 'Close (Escape)',
    });
  }

  /** @param {FullView} full @returns {HTMLElement[]} */
  #content(full) {
    const said = make('p', { class: 'said', role: 'status' });
    const say = (/** @type {string} */ sentence) => {
      said.textContent = sentence;
    };
    const folds = [
      ...messagesOf(full),
      {
        name: 'curl',
        content: make(
          'pre',
          { tabindex: '0', role: 'region', 'aria-label': 'curl' },
          full.curl ?? 'Not all of the request is kept.',
        ),
      },
    ];
    return [
      headOf(full),
      ...meaningOf(full),
      actionsOf(full, this.#opened, say),
      said,
      make('h3', {}, 'Timeline'),
      this.#remembered(timelineOf(full, this.#folds.get('moments') ?? false)),
      ...folds.map(({ name, content }) => this.#fold(name, content)),
    ];
  }

  /** @param {string} name @param {HTMLElement} content */
  #fold(name, content) {
    const title = make('summary', {}, make('h3', {}, name));
    const fold = make('details', { 'data-fold': name }, title, content);
    fold.open = this.#folds.get(name) ?? name.startsWith('What the upstream sent');
    return this.#remembered(fold);
  }

  /** @param {HTMLElement} part */
  #remembered(part) {
    for (const fold of part instanceof HTMLDetailsElement ? [part] : part.querySelectorAll('details'))
      fold.addEventListener('toggle', () => this.#folds.set(fold.dataset['fold'] ?? '', fold.open));
    return part;
  }
}

/** @param {string} id @param {(full: FullView) => HTMLElement[]} content @returns {Promise<HTMLElement[]>} */
async function contentOf(id, content) {
  const title = make('h2', { id: 'detail-title' }, 'Exchange');
  try {
    const answer = await fetch(`/api/exchanges/${encodeURIComponent(id)}`);
    if (answer.ok) return content(await answer.json());
    return [title, make('p', {}, 'It is not kept any longer: newer exchanges have taken its place.')];
  } catch {
    return [title, make('p', {}, 'The proxy cannot be reached.')];
  }
}

/** @param {FullView} full */
function headOf(full) {
  const title = make(
    'h2',
    { id: 'detail-title' },
    make('span', { class: 'method' }, full.method),
    ` ${full.path}`,
  );
  const mark = make('span', { class: 'shape', 'aria-hidden': 'true' }, shape(full));
  const badge = make(
    'span',
    { class: 'badge', 'data-severity': full.severity },
    mark,
    ` ${verdictWords(full)}`,
  );
  const tries = full.tries === 1 ? '1 try' : `${full.tries} tries`;
  const facts = [
    `#${full.number}`,
    clockWords(full.started_at),
    full.status === null ? null : String(full.status),
    full.ms === null ? null : timeWords(full.ms),
    full.state === 'done' ? tries : null,
    `from ${full.client}`,
  ].filter((one) => one !== null);
  return make('div', { class: 'head' }, title, make('p', { class: 'facts' }, badge, ` ${facts.join(' · ')}`));
}

/** @param {FullView} full @returns {HTMLElement[]} */
function meaningOf({ why, cure, severity, state, tries }) {
  const fine = tries === 0 ? 'It did not reach the upstream.' : 'Delivered whole, at the first try.';
  const sentence = why ?? (state === 'running' ? 'It is under way.' : severity === 'ok' ? fine : null);
  return [
    ...(sentence === null ? [] : [make('p', { class: 'why', 'data-severity': severity }, sentence)]),
    ...(cure === null ? [] : [make('p', { class: 'cure' }, make('strong', {}, 'What helps: '), cure)]),
  ];
}
