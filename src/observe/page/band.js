/** The band at the top: counts so far, and what is known about the upstream. */

/** @import { SummaryView } from '../inspector/types.ts' */

import { byId, make } from './dom.js';
import { exactBytes, sizeWords } from './words.js';

const numbers = byId('numbers', HTMLDivElement);
const route = byId('route', HTMLParagraphElement);
const profileHead = byId('profile-head', HTMLElement);
const profile = byId('profile-text', HTMLParagraphElement);

/** @typedef {readonly [name: string, value: string, title: string, tone: string]} Count */

/** @param {SummaryView} summary */
export function showBand(summary) {
  route.textContent = `${summary.url} → ${summary.target}`;
  numbers.replaceChildren(
    group('Exchanges', exchangeCounts(summary)),
    group('Attempts at the upstream', attemptCounts(summary)),
  );
  const { sentences } = summary.upstream;
  profileHead.textContent = `Upstream: ${sentences.join(' ') || 'nothing known yet.'}`;
  profile.replaceChildren('To find out how it closes: ', make('code', {}, summary.diagnose));
}

/** @param {string} name @param {readonly Count[]} counts */
function group(name, counts) {
  const list = counts.map(([label, value, title, look]) =>
    make(
      'div',
      { title, class: `${look}${value === '0' ? ' zero' : ''}` },
      make('dt', {}, label),
      make('dd', {}, value),
    ),
  );
  return make('section', {}, make('h2', {}, name), make('dl', {}, ...list));
}

/** Each counts exchanges, once. @param {SummaryView} summary @returns {Count[]} */
function exchangeCounts({ exchanges, running, unlisted, saved, outcomes, bytes }) {
  const { retried, waited, withheld } = saved;
  const whole = retried + waited;
  return [
    ['exchanges', exactBytes(exchanges), 'finished since the start', ''],
    ['in progress', exactBytes(running), 'right now', ''],
    ['saved', exactBytes(whole), `${retried} by another attempt, ${waited} by waiting`, tone(whole, 'good')],
    ['body withheld', exactBytes(withheld), 'the response was complete before the request body was sent', ''],
    [
      'refused',
      exactBytes(outcomes.refused),
      'answered by lastbyte with an error',
      tone(outcomes.refused, 'bad'),
    ],
    [
      'cut',
      exactBytes(outcomes.cut),
      'the client received part of the response, then a reset',
      tone(outcomes.cut, 'bad'),
    ],
    ['client left', exactBytes(outcomes.abandoned), 'before it had the response', ''],
    ['delivered', sizeWords(bytes), 'response bodies sent to clients', ''],
    ...(unlisted === 0 ? [] : [notListed(unlisted)]),
  ];
}

/** @param {number} count @returns {Count} */
function notListed(count) {
  return ['not listed', exactBytes(count), 'completed normally, but too many came at once to list them', ''];
}

/** Each counts attempts: one exchange may have several. @param {SummaryView} summary @returns {Count[]} */
function attemptCounts({ upstream }) {
  const {
    answers,
    keeps_alive: kept,
    cut,
    resets_with_unread_body: resets,
    refused_connections: none,
  } = upstream;
  return [
    ['responses', exactBytes(answers), 'attempts that received a response head', ''],
    [
      'kept alive',
      answers === 0 ? '–' : `${Math.floor((100 * kept) / answers)} %`,
      `${kept} of ${answers} responses left the connection open`,
      '',
    ],
    ['cut short', exactBytes(cut), 'the response began but did not end', tone(cut, 'bad')],
    [
      'reset, body sent',
      exactBytes(resets),
      'the connection was reset after a request body was sent',
      tone(resets, 'bad'),
    ],
    ['no connection', exactBytes(none), 'the connection was refused or timed out', tone(none, 'bad')],
  ];
}

/** @param {number} count @param {string} word */
function tone(count, word) {
  return count > 0 ? word : '';
}
