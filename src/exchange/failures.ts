/** The sentences: one row for each way in which an exchange with the upstream fails. */

import { CONNECT_FAILURES } from './connect-failures.ts';
import type { ConnectFailureCase } from './connect-failures.ts';
import type { Failure, FailureRow } from './failure.ts';
import {
  tries,
  bodyProgress,
  headProgress,
  clause,
  announcedTooMuch,
  bodyState,
  resetCause,
  resetRemedy,
  again,
  PROVABLE,
} from './failure-phrases.ts';
import { bytes, duration } from './quantities.ts';

export type FailureCase =
  | ConnectFailureCase
  | 'stale'
  | 'closed-unanswered'
  | 'reset-unanswered'
  | 'no-first-byte'
  | 'head-closed'
  | 'head-reset'
  | 'head-stalled'
  | 'body-closed'
  | 'body-reset'
  | 'body-without-close-notify'
  | 'body-stalled'
  | 'malformed-head'
  | 'malformed-length'
  | 'unasked-switch'
  | 'not-http'
  | 'malformed-body'
  | 'chunk-overrun'
  | 'chunk-extension'
  | 'malformed-trailer'
  | 'unknown-coding'
  | 'head-too-large'
  | 'body-too-large'
  | 'spool'
  | 'unverifiable'
  | 'client-gone'
  | 'no-failure';

export const FAILURES: Readonly<Record<FailureCase, FailureRow>> = {
  ...CONNECT_FAILURES,
  stale: {
    code: 'no_response',
    happened: (f) => `closed a kept connection just as it was used again, before the first byte${tries(f)}`,
    cause: () => 'its keep-alive time most likely ran out at that moment',
    remedy: () =>
      'send the request again, or set --upstream-idle-timeout below the keep-alive time of the upstream',
  },
  'closed-unanswered': {
    code: 'no_response',
    happened: (f) => `closed the connection without a byte of an answer${bodyState(f)}${tries(f)}`,
    cause: () => 'its worker most likely died, or it does not speak HTTP/1.1 at that address',
    remedy: (f) => `look into the log of the upstream, and check --target${again(f)}`,
  },
  'reset-unanswered': {
    code: 'no_response',
    happened: (f) => `reset the connection without a byte of an answer${tries(f)}`,
    cause: (f) => resetCause(f, 'its kernel threw the whole answer away'),
    remedy: resetRemedy,
  },
  'no-first-byte': {
    code: 'first_byte_timeout',
    happened: (f) =>
      `did not begin to answer within ${duration(f.settings.firstByteTimeoutMs)}${bodyState(f)}${tries(f)}`,
    cause: (f) =>
      f.evidence.requestBody === 'partly'
        ? 'it most likely does not read the request body'
        : 'it is still at work, waits for something, or stands at a breakpoint',
    remedy: () => 'look what the view waits for, or raise --first-byte-timeout',
  },
  'head-closed': {
    code: 'response_truncated',
    happened: (f) =>
      `closed the connection in the head of its answer, ${headProgress(f)}${bodyState(f)}${tries(f)}`,
    cause: () => 'its worker most likely died',
    remedy: (f) => `look into the log of the upstream${again(f)}`,
  },
  'head-reset': {
    code: 'response_truncated',
    happened: (f) => `reset the connection in the head of its answer, ${headProgress(f)}${tries(f)}`,
    cause: (f) => resetCause(f, 'its kernel threw the rest of the answer away'),
    remedy: resetRemedy,
  },
  'head-stalled': {
    code: 'response_stalled',
    happened: (f) =>
      `stopped in the head of its answer, ${headProgress(f)}, for ${duration(f.settings.firstByteTimeoutMs)}${tries(f)}`,
    cause: () => 'it most likely never wrote the empty line that ends a head',
    remedy: () => 'look what writes the head, or raise --first-byte-timeout',
  },
  'body-closed': {
    code: 'response_truncated',
    happened: (f) => `closed the connection after ${bodyProgress(f)}${bodyState(f)}${tries(f)}`,
    cause: (f) =>
      f.evidence.framing?.kind === 'length'
        ? 'it most likely failed while it wrote the answer, or announced a wrong Content-Length'
        : 'it most likely failed while it wrote the answer',
    remedy: (f) => `look for an exception in the log of the upstream${again(f)}`,
  },
  'body-reset': {
    code: 'response_truncated',
    happened: (f) => `reset the connection after ${bodyProgress(f)}${tries(f)}`,
    cause: (f) => resetCause(f, 'its kernel threw the rest of the answer away'),
    remedy: resetRemedy,
  },
  'body-without-close-notify': {
    code: 'response_truncated',
    happened: (f) =>
      `closed the TCP connection under TLS, without a close_notify, after ${bodyProgress(f)}${bodyState(f)}${tries(f)}`,
    cause: () => 'it or something before it was most likely cut off, so nobody can know what is missing',
    remedy: (f) =>
      `look for a crash in the log of the upstream, or have it announce a Content-Length${again(f)}`,
  },
  'body-stalled': {
    code: 'response_stalled',
    happened: (f) =>
      `sent nothing for ${duration(f.settings.bodyIdleTimeoutMs)} after ${bodyProgress(f)}${bodyState(f)}${tries(f)}`,
    cause: (f) =>
      f.evidence.framing?.kind === 'length'
        ? 'it most likely announced a Content-Length that is larger than its body'
        : 'it is stuck, or keeps this answer open on purpose',
    remedy: (f) =>
      f.evidence.framing?.kind === 'length'
        ? 'correct the Content-Length, or raise --body-idle-timeout'
        : 'look what the view waits for, raise --body-idle-timeout, or name the path with --stream',
  },
  'malformed-head': {
    code: 'response_malformed',
    happened: (f) => `sent an answer that is not valid HTTP${clause(f)}${tries(f)}`,
    cause: () => null,
    remedy: () => 'correct what writes the head, or check --target, which may need https://',
  },
  'malformed-length': {
    code: 'response_malformed',
    happened: (f) => `announced a length that means nothing${clause(f)}${tries(f)}`,
    cause: () => 'nobody can know where its answer ends',
    remedy: () => 'set Content-Length once, in digits, or leave it to the server',
  },
  'unasked-switch': {
    code: 'response_malformed',
    happened: (f) => `switched protocols with 101, which the request did not ask for${tries(f)}`,
    cause: () => null,
    remedy: () => 'answer with 101 only where the request has an Upgrade field',
  },
  'not-http': {
    code: 'response_malformed',
    happened: (f) => `did not answer in HTTP${clause(f)}${tries(f)}`,
    cause: () => 'another service most likely listens there, or one that speaks TLS',
    remedy: () => 'check --target: its port, and whether it needs https://',
  },
  'malformed-body': {
    code: 'response_malformed',
    happened: brokenChunks,
    cause: () =>
      'something most likely wrote into the body past the chunks, such as an error page behind a stream',
    remedy: (f) => `have the server frame the chunks, and nothing else write to its connection${again(f)}`,
  },
  'chunk-overrun': {
    code: 'response_malformed',
    happened: brokenChunks,
    cause: () => 'it most likely counted characters instead of bytes',
    remedy: (f) =>
      `count the bytes of each chunk as it is sent, or have the server frame the chunks${again(f)}`,
  },
  'chunk-extension': {
    code: 'response_malformed',
    happened: brokenChunks,
    cause: () => 'no extension of a chunk is known that needs so much',
    remedy: (f) => `send chunks without extensions${again(f)}`,
  },
  'malformed-trailer': {
    code: 'response_malformed',
    happened: (f) =>
      `sent malformed trailers behind a body of ${bytes(f.evidence.bodyBytes)}${clause(f)}${tries(f)}`,
    cause: () => 'so nobody can know whether the answer ends there',
    remedy: (f) => `correct the trailer fields, or leave them out: no client gets them from here${again(f)}`,
  },
  'unknown-coding': {
    code: 'response_coding',
    happened: (f) => `used a transfer coding that is not known here${clause(f)}${tries(f)}`,
    cause: () => 'only chunked can be read',
    remedy: () => 'turn the coding off in the upstream; to compress, use Content-Encoding',
  },
  'head-too-large': {
    code: 'response_head_too_large',
    happened: (f) => `sent a head of more than ${bytes(f.settings.maxHeaderBytes)}`,
    cause: () => 'it most likely sets too many or too large cookies',
    remedy: () => 'send fewer fields, or raise --max-header',
  },
  'body-too-large': {
    code: 'response_too_large',
    happened: (f) =>
      `${announcedTooMuch(f)}, more than the ${bytes(f.settings.maxResponseBodyBytes)} that are allowed`,
    cause: () => 'an answer is delivered only when the whole of it is here',
    remedy: () => 'raise --max-response-body, or name the path with --stream so that it is not buffered',
  },
  spool: {
    code: 'spool_exhausted',
    happened: (f) =>
      `answered, but the exchange could not be buffered after ${bytes(f.evidence.bodyBytes)}${clause(f)}`,
    cause: () => null,
    remedy: () => 'raise --memory-total or --disk-total, make room in --spool-dir, or send less at once',
  },
  unverifiable: {
    code: 'response_unverifiable',
    happened: (f) =>
      `sent ${bytes(f.evidence.bodyBytes)} without a Content-Length or chunks and closed the connection${bodyState(f)}`,
    cause: () =>
      'nothing proves that this is all: a view whose generator raises midway ends its answer in the same way',
    remedy: () =>
      `look for an exception in the log of the upstream, ${PROVABLE}, or deliver such answers with --unverifiable deliver`,
  },
  'client-gone': {
    code: 'internal_error',
    happened: (f) => `was left alone after ${bytes(f.evidence.bodyBytes)} of its answer${bodyState(f)}`,
    cause: () => 'the client went away first',
    remedy: () => 'look at the time limit of the client if it should have waited',
  },
  'no-failure': {
    code: 'internal_error',
    happened: (f) => `sent a whole answer of ${bytes(f.evidence.bodyBytes)}, which was not delivered`,
    cause: () => 'that is a fault of this proxy',
    remedy: () => 'please report it, with the log at --log-level debug',
  },
};

function brokenChunks(failure: Failure): string {
  const received = bytes(failure.evidence.bodyBytes);
  return `broke its chunked coding after ${received}${clause(failure)}${tries(failure)}`;
}
