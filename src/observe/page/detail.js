/** The panel of one exchange: what it means, how to fix it, its timeline, its messages, and a comparison. */

/** @import { FullView, Row } from '../inspector/types.ts' */

import { compareChoice, comparisonOf } from './compare.js';
import { button, byId, make } from './dom.js';
import { messagesOf } from './messages.js';
import { actionsOf, curlBlock } from './replay.js';
import { momentsTable, timelineOf } from './timeline.js';
import { clockWords, shape, timeWords, verdictTitle, verdictWords } from './words.js';

/**
 * @typedef {object} Context
 * @property {() => readonly Row[]} rows all known ones, newest first
 * @property {(id: string) => void} open shows another exchange
 * @property {(id: string) => void} compare with this exchange; empty: with none
 * @property {() => void} close
 */

export class Detail {
  #panel = byId('detail', HTMLElement);
  #around;
  #id = '';
  #against = '';
  /** Folds that a person has opened or closed stay so, from one exchange to the next. @type {Map<string, boolean>} */
  #folds = new Map();

  /** @param {Context} around */
  constructor(around) {
    this.#around = around;
  }

  /** Of the exchange that is shown; empty: none. */
  get id() {
    return this.#id;
  }

  /** @param {string} id empty: closes it @param {string} against what it is compared with; empty: nothing */
  open(id, against) {
    if (id === this.#id && against === this.#against) return;
    const isOther = id !== this.#id;
    this.#id = id;
    this.#against = against;
    document.body.classList.toggle('opened', id !== '');
    this.#panel.hidden = id === '';
    if (isOther) this.#panel.replaceChildren();
    if (id === '') return;
    this.#panel.scrollTop = 0;
    void this.#load(isOther);
  }

  /** Something was added to an exchange. @param {Row} row */
  changed({ id }) {
    if (id === this.#id) void this.#load(false);
  }

  /** @param {boolean} focus */
  async #load(focus) {
    const [id, against] = [this.#id, this.#against];
    const [full, other] = await Promise.all([loaded(id), against === '' ? null : loaded(against)]);
    // Another exchange may have been opened since.
    if (id !== this.#id || against !== this.#against) return;
    const scrolled = this.#panel.scrollTop;
    const content = typeof full === 'string' ? missing(full) : this.#content(full, other);
    this.#panel.replaceChildren(...content, this.#closeButton());
    this.#panel.scrollTop = scrolled;
    if (focus) this.#panel.focus({ preventScroll: true });
  }

  #closeButton() {
    return button('✕', () => this.#around.close(), {
      class: 'close',
      'aria-label': 'Close',
      title: 'Close (Escape)',
    });
  }

  /** @param {FullView} full @param {FullView | string | null} other what it is compared with @returns {HTMLElement[]} */
  #content(full, other) {
    const said = make('p', { class: 'said', role: 'status' });
    const say = (/** @type {string} */ sentence) => {
      said.textContent = sentence;
    };
    const { rows, open, compare } = this.#around;
    const actions = actionsOf(full, open, say);
    if (full.state === 'done') actions.append(compareChoice(full, rows(), this.#against, compare));
    if (typeof other === 'string') say(other);
    return [
      headOf(full),
      ...meaningOf(full),
      actions,
      said,
      ...(other === null || typeof other === 'string' ? [] : [comparisonOf(other, full)]),
      make('h3', {}, 'Timeline'),
      timelineOf(full),
      ...messagesOf(full).map(({ name, content }) => this.#fold(name, content, true)),
      this.#fold('All timings', momentsTable(full), false),
      this.#fold('curl', curlBlock(full), false),
    ];
  }

  /** @param {string} name @param {HTMLElement} content @param {boolean} isOpen unless it was folded or unfolded */
  #fold(name, content, isOpen) {
    const fold = make('details', {}, make('summary', {}, make('h3', {}, name)), content);
    fold.open = this.#folds.get(name) ?? isOpen;
    fold.addEventListener('toggle', () => this.#folds.set(name, fold.open));
    return fold;
  }
}

/** A sentence: why there is none. @param {string} id @returns {Promise<FullView | string>} */
async function loaded(id) {
  try {
    const answer = await fetch(`/api/exchanges/${encodeURIComponent(id)}`);
    if (answer.ok) return await answer.json();
    return 'No longer kept: newer exchanges have replaced it.';
  } catch {
    return 'The proxy cannot be reached.';
  }
}

/** @param {string} sentence */
function missing(sentence) {
  return [make('h2', { id: 'detail-title' }, 'Exchange'), make('p', {}, sentence)];
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
    { class: 'badge', 'data-severity': full.severity, title: verdictTitle(full) },
    mark,
    ` ${verdictWords(full)}`,
  );
  const tries = full.tries === 1 ? '1 attempt' : `${full.tries} attempts`;
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
  const fine = tries === 0 ? 'It did not reach the upstream.' : 'Delivered complete on the first attempt.';
  const sentence = why ?? (state === 'running' ? 'In progress.' : severity === 'ok' ? fine : null);
  return [
    ...(sentence === null
      ? []
      : [make('p', { class: 'why', 'data-severity': severity }, withoutCure(sentence, cure))]),
    ...(cure === null ? [] : [make('p', { class: 'cure' }, make('strong', {}, 'What helps: '), cure)]),
  ];
}

/** What helps stands on its own below. @param {string} sentence @param {string | null} cure */
function withoutCure(sentence, cure) {
  return cure !== null && sentence.endsWith(` ${cure}`) ? sentence.slice(0, -cure.length - 1) : sentence;
}
