/** The band on top: what happened so far, in numbers, and what was learned of the upstream. */

/** @import { SummaryView } from '../inspector/types.ts' */

import { byId, make } from './dom.js';
import { exactBytes, sizeWords } from './words.js';

const numbers = byId('numbers', HTMLDListElement);
const route = byId('route', HTMLParagraphElement);
const profile = byId('profile', HTMLParagraphElement);

/** @param {SummaryView} summary */
export function showBand(summary) {
  route.textContent = `${summary.url} → ${summary.target}`;
  numbers.replaceChildren(
    ...counts(summary).map(([name, value, title, look]) =>
      make('div', { title, class: look }, make('dt', {}, name), make('dd', {}, value)),
    ),
  );
  const known = summary.upstream.sentences.map((sentence) => `${sentence} `);
  profile.replaceChildren('The upstream: ', ...known, 'How it closes: ', make('code', {}, summary.diagnose));
}

/** @typedef {readonly [name: string, value: string, title: string, tone: string]} Count */

/**
 * @param {SummaryView} summary
 * @returns {Count[]}
 */
function counts({ exchanges, running, unlisted, saved, outcomes, cut_by_upstream: cut, bytes, upstream }) {
  const { retried, waited, withheld } = saved;
  const problems = outcomes.refused + outcomes.cut;
  /** @type {Count[]} */
  const always = [
    ['exchanges', exactBytes(exchanges), 'since the start', ''],
    ['under way', exactBytes(running), 'at this moment', ''],
    [
      'saved',
      exactBytes(retried + waited),
      `${retried} by another try, ${waited} by waiting`,
      tone(retried + waited, 'good'),
    ],
    ['body withheld', exactBytes(withheld), 'the response came whole before the request body was sent', ''],
    ['refused', exactBytes(problems), 'answered by lastbyte with an error, or cut', tone(problems, 'bad')],
    ['cut by upstream', exactBytes(cut), 'tries whose response began and was cut', tone(cut, 'bad')],
    ['delivered', sizeWords(bytes), 'bodies sent to clients', ''],
    [
      'upstream keeps alive',
      upstream.answers === 0 ? '–' : `${Math.floor((100 * upstream.keeps_alive) / upstream.answers)} %`,
      `${upstream.keeps_alive} of ${upstream.answers} answers left the connection open`,
      '',
    ],
    [
      'resets, body unread',
      exactBytes(upstream.resets_with_unread_body),
      'of its responses that were reset, those whose request had a body',
      tone(upstream.resets_with_unread_body, 'bad'),
    ],
  ];
  return unlisted === 0
    ? always
    : [...always, ['not listed', exactBytes(unlisted), 'went well, and came too fast to be looked at', '']];
}

/** @param {number} count @param {string} word */
function tone(count, word) {
  return count > 0 ? word : '';
}
