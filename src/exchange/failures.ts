/** Why an exchange with the upstream failed: one table, from how its last attempt ended to the error and its sentence. */

import type { Evidence, Limit, ParseFault } from '../upstream/evidence.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import { connectFailureRow } from './connect-failures.ts';
import {
  again,
  announcedTooMuch,
  bodyProgress,
  bodyState,
  brokenChunks,
  clause,
  headProgress,
  PROVABLE,
  resetCause,
  resetRemedy,
  tries,
} from './failure-phrases.ts';
import type { FailureRow } from './failure-phrases.ts';
import { bytes, duration } from '../config/units.ts';

export function failureRow(verdict: VerdictKind, evidence: Evidence, target: string): FailureRow {
  if (verdict === 'complete') return NO_FAILURE;
  if (verdict === 'unverifiable') return UNVERIFIABLE;
  const { ending, head, headBytes, reusedConnection } = evidence;
  switch (ending.kind) {
    case 'message-end':
      return NO_FAILURE;
    case 'client-gone':
      return CLIENT_GONE;
    case 'connect-failed':
      return connectFailureRow(ending, target);
    case 'limit':
      return LIMITS[ending.limit];
    case 'parse-error':
      return MALFORMED[ending.fault];
    case 'timeout':
      if (ending.waitedFor === 'body-idle') return CUTS['body-stalled'];
      return headBytes === 0 ? CUTS['no-first-byte'] : CUTS['head-stalled'];
    case 'fin':
    case 'rst': {
      const missesCloseNotify = ending.kind === 'rst' && ending.missesCloseNotify;
      const how = ending.kind === 'rst' && !missesCloseNotify ? 'reset' : 'closed';
      if (head !== null) return missesCloseNotify ? CUTS['body-without-close-notify'] : CUTS[`body-${how}`];
      if (headBytes > 0) return CUTS[`head-${how}`];
      return reusedConnection ? CUTS.stale : CUTS[`${how}-unanswered`];
    }
  }
}

/** The upstream closed, reset or fell silent. */
const CUTS = {
  stale: {
    code: 'no_response',
    happened: (f) => `closed a kept connection just as it was used again, before the first byte${tries(f)}`,
    cause: 'its keep-alive time most likely ran out at that moment',
    remedy:
      'send the request again, or set --upstream-idle-timeout below the keep-alive time of the upstream',
  },
  'closed-unanswered': {
    code: 'no_response',
    happened: (f) => `closed the connection without a byte of a response${bodyState(f)}${tries(f)}`,
    cause: 'its worker most likely died, or it does not speak HTTP/1.1 at that address',
    remedy: (f) => `look into the log of the upstream, and check --target${again(f)}`,
  },
  'reset-unanswered': {
    code: 'no_response',
    happened: (f) => `reset the connection without a byte of a response${tries(f)}`,
    cause: (f) => resetCause(f, 'its kernel threw the whole response away'),
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
    remedy: 'look what the view waits for, or raise --first-byte-timeout',
  },
  'head-closed': {
    code: 'response_truncated',
    happened: (f) =>
      `closed the connection in the head of its response, ${headProgress(f)}${bodyState(f)}${tries(f)}`,
    cause: 'its worker most likely died',
    remedy: (f) => `look into the log of the upstream${again(f)}`,
  },
  'head-reset': {
    code: 'response_truncated',
    happened: (f) => `reset the connection in the head of its response, ${headProgress(f)}${tries(f)}`,
    cause: (f) => resetCause(f, 'its kernel threw the rest of the response away'),
    remedy: resetRemedy,
  },
  'head-stalled': {
    code: 'response_stalled',
    happened: (f) =>
      `stopped in the head of its response, ${headProgress(f)}, for ${duration(f.settings.firstByteTimeoutMs)}${tries(f)}`,
    cause: 'it most likely never wrote the empty line that ends a head',
    remedy: 'look what writes the head, or raise --first-byte-timeout',
  },
  'body-closed': {
    code: 'response_truncated',
    happened: (f) => `closed the connection after ${bodyProgress(f)}${bodyState(f)}${tries(f)}`,
    cause: (f) =>
      f.evidence.framing?.kind === 'length'
        ? 'it most likely failed while it wrote the response, or announced a wrong Content-Length'
        : 'it most likely failed while it wrote the response',
    remedy: (f) => `look for an exception in the log of the upstream${again(f)}`,
  },
  'body-reset': {
    code: 'response_truncated',
    happened: (f) => `reset the connection after ${bodyProgress(f)}${tries(f)}`,
    cause: (f) => resetCause(f, 'its kernel threw the rest of the response away'),
    remedy: resetRemedy,
  },
  'body-without-close-notify': {
    code: 'response_truncated',
    happened: (f) =>
      `closed the TCP connection under TLS, without a close_notify, after ${bodyProgress(f)}${bodyState(f)}${tries(f)}`,
    cause: 'it or something before it was most likely cut off, so nobody can know what is missing',
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
        : 'it is stuck, or keeps this response open on purpose',
    remedy: (f) =>
      f.evidence.framing?.kind === 'length'
        ? 'correct the Content-Length, or raise --body-idle-timeout'
        : 'look what the view waits for, raise --body-idle-timeout, or name the path with --stream',
  },
} as const satisfies Readonly<Record<string, FailureRow>>;

const BROKEN_CHUNKS: FailureRow = {
  code: 'response_malformed',
  happened: brokenChunks,
  cause: 'something most likely wrote into the body past the chunks, such as an error page after a stream',
  remedy: (f) => `have the server frame the chunks, and nothing else write to its connection${again(f)}`,
};

const MALFORMED: Readonly<Record<ParseFault, FailureRow>> = {
  head: {
    code: 'response_malformed',
    happened: (f) => `sent a response that is not valid HTTP${clause(f)}${tries(f)}`,
    cause: null,
    remedy: 'correct what writes the head, or check --target, which may need https://',
  },
  length: {
    code: 'response_malformed',
    happened: (f) => `announced a length that means nothing${clause(f)}${tries(f)}`,
    cause: 'nobody can know where its response ends',
    remedy: 'set Content-Length once, in digits, or leave it to the server',
  },
  coding: {
    code: 'response_coding',
    happened: (f) => `used a transfer coding that is not known here${clause(f)}${tries(f)}`,
    cause: 'only chunked can be read',
    remedy: 'turn the coding off in the upstream; to compress, use Content-Encoding',
  },
  switch: {
    code: 'response_malformed',
    happened: (f) => `switched protocols with 101, which the request did not ask for${tries(f)}`,
    cause: null,
    remedy: 'answer with 101 only where the request has an Upgrade field',
  },
  'not-http': {
    code: 'response_malformed',
    happened: (f) => `did not answer in HTTP${clause(f)}${tries(f)}`,
    cause: 'another service most likely listens there, or one that speaks TLS',
    remedy: 'check --target: its port, and whether it needs https://',
  },
  body: BROKEN_CHUNKS,
  'chunk-size': BROKEN_CHUNKS,
  'chunk-end': {
    code: 'response_malformed',
    happened: brokenChunks,
    cause: 'it most likely counted characters instead of bytes',
    remedy: (f) =>
      `count the bytes of each chunk as it is sent, or have the server frame the chunks${again(f)}`,
  },
  'chunk-extension': {
    code: 'response_malformed',
    happened: brokenChunks,
    cause: 'no extension of a chunk is known that needs so much',
    remedy: (f) => `send chunks without extensions${again(f)}`,
  },
  trailer: {
    code: 'response_malformed',
    happened: (f) =>
      `sent malformed trailers after a body of ${bytes(f.evidence.bodyBytes)}${clause(f)}${tries(f)}`,
    cause: 'so nobody can know whether the response ends there',
    remedy: (f) => `correct the trailer fields, or leave them out: no client gets them from here${again(f)}`,
  },
};

const LIMITS: Readonly<Record<Limit, FailureRow>> = {
  head: {
    code: 'response_head_too_large',
    happened: (f) => `sent a head of more than ${bytes(f.settings.maxHeaderBytes)}`,
    cause: 'it most likely sets too many or too large cookies',
    remedy: 'send fewer fields, or raise --max-header',
  },
  body: {
    code: 'response_too_large',
    happened: (f) =>
      `${announcedTooMuch(f)}, more than the ${bytes(f.settings.maxResponseBodyBytes)} that are allowed`,
    cause: 'a response is delivered only when the whole of it is here',
    remedy: 'raise --max-response-body, or name the path with --stream so that it is not buffered',
  },
  spool: {
    code: 'spool_exhausted',
    happened: (f) =>
      `answered, but the exchange could not be buffered after ${bytes(f.evidence.bodyBytes)}${clause(f)}`,
    cause: null,
    remedy: 'raise --memory-total or --disk-total, make room in --spool-dir, or send less at once',
  },
};

const UNVERIFIABLE: FailureRow = {
  code: 'response_unverifiable',
  happened: (f) =>
    `sent ${bytes(f.evidence.bodyBytes)} without a Content-Length or chunks and closed the connection${bodyState(f)}`,
  cause:
    'nothing proves that this is all: a view whose generator raises midway ends its response in the same way',
  remedy: `look for an exception in the log of the upstream, ${PROVABLE}, or deliver such responses with --unverifiable deliver`,
};

const CLIENT_GONE: FailureRow = {
  code: 'internal_error',
  happened: (f) => `was left alone after ${bytes(f.evidence.bodyBytes)} of its response${bodyState(f)}`,
  cause: 'the client went away first',
  remedy: 'look at the time limit of the client if it should have waited',
};

const NO_FAILURE: FailureRow = {
  code: 'internal_error',
  happened: (f) => `sent a whole response of ${bytes(f.evidence.bodyBytes)}, which was not delivered`,
  cause: 'that is a fault of this proxy',
  remedy: 'please report it, with the log at --log-level debug',
};
