/** When things happened in an exchange: the lanes of its timeline, and the same in words. Pure. */

/** @import { AttemptView, FullView } from '../inspector/types.ts' */

import { exactBytes } from './words.js';

/** @typedef {{ readonly kind: string, readonly from: number, readonly to: number, readonly text: string }} Span */
/** @typedef {{ readonly kind: string, readonly at: number, readonly text: string, readonly mark: string }} Mark */
/**
 * @typedef {object} Lane
 * @property {string} name
 * @property {string} end how it ended, in words
 * @property {string} tone
 * @property {readonly Span[]} spans
 * @property {readonly Mark[]} marks
 * @property {{ readonly received: number, readonly expected: number } | null} bar
 */

/** @param {FullView} full @returns {Lane[]} */
export function lanesOf(full) {
  const tries = full.attempts.map((attempt, at) => ({
    at: attempt.start_ms,
    lane: tryLane(attempt, at + 1),
  }));
  const waits = full.timeline.waits.map(({ start_ms: from, end_ms: to }) => ({
    at: from,
    lane: lane('Wait', 'for a restart of the upstream', '', [span('wait', from, to, 'waited for a restart')]),
  }));
  const middle = [...waits, ...tries].sort((one, other) => one.at - other.at);
  return [requestLane(full), ...middle.map((one) => one.lane), ...answerLanes(full)];
}

/** @param {FullView} full */
function requestLane({ timeline, request_bytes: bytes }) {
  const whole = timeline.request_whole_ms;
  const said = bytes === 0 ? 'no body' : `${exactBytes(bytes)} bytes of body`;
  const end = whole === null ? 'not received in full' : `received, ${said}`;
  return lane('Request', end, '', [span('request', 0, whole, 'request received')]);
}

/** @param {AttemptView} attempt @param {number} number @returns {Lane} */
function tryLane(attempt, number) {
  const { start_ms: start, end_ms: end, connected_ms: connected, head_sent_ms: headSent } = attempt;
  const {
    body_start_ms: bodyStart,
    body_sent_ms: bodySent,
    first_byte_ms: first,
    last_byte_ms: last,
  } = attempt;
  const asked = bodySent ?? bodyStart ?? headSent ?? connected ?? start;
  const held = attempt.request_body === 'withheld' ? (first ?? end) : bodyStart;
  const spans = [
    attempt.reused ? null : span('connect', start, connected ?? end, connectWords(attempt)),
    headSent === null || held === null || attempt.request_body === 'none'
      ? null
      : span('withheld', headSent, held, 'request body withheld'),
    span('body', bodyStart, bodySent ?? (bodyStart === null ? null : end), 'request body sent'),
    connected === null && !attempt.reused
      ? null
      : span('silence', Math.max(asked, held ?? 0), first ?? end, 'waited for the first byte'),
    span('response', first, last ?? end, 'response received'),
  ];
  const good = attempt.verdict === 'complete' || attempt.verdict === 'unverifiable';
  return {
    ...lane(`Attempt ${number}`, endingWords(attempt), good ? 'good' : 'bad', spans),
    marks: [
      ...mark('sent', headSent, 'head sent', '│'),
      ...mark('first', first, 'first byte', '│'),
      ...mark(good ? 'end' : 'failed', end, endingWords(attempt), good ? '●' : '✕'),
    ],
    bar:
      attempt.response === null || attempt.expected === null
        ? null
        : barOf(attempt.received, attempt.expected),
  };
}

/** @param {AttemptView} attempt */
function connectWords({ connected_ms: connected, error_code: code }) {
  return connected === null ? `no connection${code === null ? '' : `: ${code}`}` : 'connected';
}

/** @param {number} received @param {number} expected */
function barOf(received, expected) {
  return { received, expected };
}

/** @type {Readonly<Record<AttemptView['ending'], string>>} */
const ENDINGS = {
  'message-end': 'whole',
  fin: 'FIN',
  rst: 'RST',
  timeout: 'timeout',
  'parse-error': 'not HTTP',
  limit: 'over a limit',
  'connect-failed': 'no connection',
  'client-gone': 'given up: the client left',
};

/** @param {AttemptView} attempt */
function endingWords({ ending, timeout, error_code: code, expected, received, response, framing }) {
  const how = `${ENDINGS[ending]}${timeout === null ? '' : ` (${timeout})`}${code === null ? '' : ` (${code})`}`;
  if (ending === 'connect-failed') return how;
  if (response === null) return `${how} before a response`;
  if (framing === 'none') return `${how}, no body`;
  const of = expected === null ? '' : ` of ${exactBytes(expected)}`;
  return ending === 'message-end'
    ? `${how}, ${exactBytes(received)} bytes`
    : `${how} after ${exactBytes(received)}${of} bytes`;
}

/** @param {FullView} full @returns {Lane[]} */
function answerLanes({ timeline, status, bytes }) {
  const { delivery_ms: delivery, written_ms: written, connection } = timeline;
  const sent = lane('Response', `${status ?? 'no status'}, ${exactBytes(bytes)} bytes`, '', [
    span('delivery', delivery, written ?? timeline.done_ms, 'sent to the client'),
  ]);
  const lanes =
    delivery === null
      ? []
      : [{ ...sent, marks: mark('end', written, 'last byte handed to the kernel', '●') }];
  // A kept connection ends after a minute of idle time, which is not part of this exchange.
  if (connection === 'kept') return [...lanes, lane('Closing', 'kept open for the next request', '', [])];
  const { client_fin_ms: theirs, our_fin_ms: ours, closed_ms: closed, closed_by: by } = timeline;
  const from = written ?? timeline.done_ms;
  const end = { fin: 'FIN from both sides', rst: 'RST', open: 'not closed yet' }[by ?? 'open'];
  const closing = lane('Closing', end, by === 'rst' ? 'bad' : '', [
    span('linger', from, closed, 'waited for the client to close'),
  ]);
  const marks = [...mark('fin', theirs, "client's FIN", '◀'), ...mark('fin', ours, "lastbyte's FIN", '▶')];
  return [...lanes, { ...closing, marks }];
}

/** @param {string} name @param {string} end @param {string} tone @param {readonly (Span | null)[]} spans @returns {Lane} */
function lane(name, end, tone, spans) {
  return { name, end, tone, spans: spans.filter((one) => one !== null), marks: [], bar: null };
}

/** @param {string} kind @param {number | null} from @param {number | null} to @param {string} text @returns {Span | null} */
function span(kind, from, to, text) {
  return from === null || to === null || to < from ? null : { kind, from, to, text };
}

/** @param {string} kind @param {number | null} at @param {string} text @param {string} shape @returns {Mark[]} */
function mark(kind, at, text, shape) {
  return at === null ? [] : [{ kind, at, text, mark: shape }];
}

/** All of it in order, for those who read rather than look. @param {readonly Lane[]} lanes */
export function momentsOf(lanes) {
  const all = lanes.flatMap(({ name, spans, marks }) => [
    ...spans.map(({ from, to, text }) => ({ at: from, lasted: to - from, who: name, text })),
    ...marks.map(({ at, text }) => ({ at, lasted: null, who: name, text })),
  ]);
  return all.sort((one, other) => one.at - other.at);
}
