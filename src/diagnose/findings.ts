/** All findings, the most severe first, as one table: where each is seen, what it means, and what helps. Pure. */

import { duration, grouped, roundedBytes } from '../config/units.ts';
import {
  closedEarly,
  CURE_OF_STALLED,
  found,
  inTries,
  isFullyOpen,
  leftoverBody,
  noLastChunk,
  notHttp,
  reset,
  seenOnKept,
  stalled,
  surplus,
  unreadBody,
  wrongLength,
} from './detect.ts';
import type { Detect, Detected, Study } from './detect.ts';
import { allWhole, evidenceOf, largestBytes, seenIn, wasReset, withBody, withoutBody } from './tally.ts';
import type { Seen } from './tally.ts';

export type FindingCode =
  | 'unread-body'
  | 'reset'
  | 'wrong-length'
  | 'closed-early'
  | 'no-last-chunk'
  | 'stalled'
  | 'surplus'
  | 'no-answer'
  | 'silent'
  | 'keep-alive-closed'
  | 'leftover-body'
  | 'not-http'
  | 'gone'
  | 'half-close'
  | 'until-close'
  | 'endless'
  | 'small-answer'
  | 'error-status';

export interface Finding extends Seen {
  readonly code: FindingCode;
  /** A `note` is not a fault, but helps to understand the verdict. */
  readonly severity: 'fault' | 'note';
  /** What was seen, with numbers. Each text is one or more complete sentences. */
  readonly what: string;
  readonly cause: string;
  /** What lastbyte does about it; null: nothing. */
  readonly cure: string | null;
  /** What to suggest to the authors of the server or the application; null: nothing. */
  readonly upstreamFix: string | null;
  /** Options of lastbyte that matter here. */
  readonly options: readonly string[];
}

/** What `detect` returns overrides the row. */
type FindingRow = Pick<Finding, 'code' | 'severity' | 'cause' | 'cure' | 'upstreamFix'> & {
  readonly options?: Finding['options'];
  readonly detect: Detect;
};

export function findingsOf(study: Study): readonly Finding[] {
  return FINDINGS.flatMap(({ detect, ...row }) => {
    const detected = detect(study);
    return detected === null ? [] : { options: [], ...row, ...detected };
  });
}

const FINDINGS: readonly FindingRow[] = [
  {
    code: 'unread-body',
    severity: 'fault',
    detect: unreadBody,
    cause:
      'The server closes a socket that still has unread request bytes. Its kernel then sends RST instead of FIN and ' +
      'discards the part of the response it has not sent yet (RFC 2525 section 2.17).',
    cure: 'lastbyte turns a truncated response into a 502 that explains it; no way to save the response was found.',
    upstreamFix:
      'Read the request body to its end before closing. If that is not possible, shut down the sending side, keep ' +
      'reading, and close once the client has closed (RFC 9112 section 9.6). In an application, read the body before responding.',
  },
  {
    code: 'reset',
    severity: 'fault',
    detect: reset,
    cause:
      'The server closes with SO_LINGER set to 0, its process or worker dies, or something on the path drops the connection.',
    cure:
      'lastbyte retries requests that are safe to repeat (--retries) and turns a response that stays truncated into a ' +
      '502 that explains it. It does not repeat a POST.',
    upstreamFix:
      'Check its log for a worker that exited. Do not set SO_LINGER to 0; shut down the sending side and wait for the ' +
      'client to close (RFC 9112 section 9.6).',
    options: ['--retries', '--retry-backoff'],
  },
  {
    code: 'wrong-length',
    severity: 'fault',
    detect: wrongLength,
    cause:
      'Its Content-Length is larger than its body. Often characters are counted instead of bytes, or a body is changed after it was measured.',
    cure: 'lastbyte responds with 502 instead of a truncated 200, and retries requests that are safe to repeat.',
    upstreamFix: 'Set Content-Length to the number of bytes in the body, or leave it out and send chunks.',
  },
  {
    code: 'closed-early',
    severity: 'fault',
    detect: closedEarly,
    cause:
      'Whatever produces the body stops too early: an exception after the head, a worker that is stopped, or a time limit.',
    cure: 'lastbyte responds with 502 instead of a truncated 200, and retries requests that are safe to repeat.',
    upstreamFix: 'Check its log at the time of the truncation.',
    options: ['--retries'],
  },
  {
    code: 'no-last-chunk',
    severity: 'fault',
    detect: noLastChunk,
    cause:
      'Whatever produces the body raised an exception, or the server omits the zero-length chunk that ends a body (RFC 9112 section 7.1).',
    cure:
      'lastbyte responds with 502, or 504 if the server stalls, instead of a truncated 200, and retries requests that are ' +
      'safe to repeat. Without the last chunk, nothing proves that the response is complete.',
    upstreamFix: 'Check its log for the exception. Send "0", CRLF, CRLF after the last chunk.',
  },
  {
    code: 'stalled',
    severity: 'fault',
    detect: stalled,
    cause:
      'The server is waiting for something that does not happen, or needs more time than this run allows.',
    cure: CURE_OF_STALLED,
    upstreamFix: 'Find out what it is waiting for.',
    options: ['--body-idle-timeout'],
  },
  {
    code: 'surplus',
    severity: 'fault',
    detect: surplus,
    cause:
      'Its Content-Length is smaller than its body. Often characters are counted instead of bytes. Clients cut the body off there, or take the rest for the next response.',
    cure: 'lastbyte delivers the announced length, drops the rest with a note in its log, and does not reuse the connection. It cannot know that the rest belonged to the body.',
    upstreamFix: 'Set Content-Length to the number of bytes in the body, or leave it out and send chunks.',
  },
  {
    code: 'not-http',
    severity: 'fault',
    detect: notHttp,
    cause: 'This port speaks another protocol, or something writes into the response.',
    cure: 'lastbyte responds with a 502 that explains it instead of passing it on.',
    upstreamFix: 'Check the address and the port, and what writes to the socket besides the server.',
    options: ['--target'],
  },
  {
    code: 'no-answer',
    severity: 'fault',
    detect: ({ tallies }) =>
      found(
        seenIn(tallies.filter(isFullyOpen), tallies, 'closed'),
        (seen) => `Closes the connection without a response: ${inTries(seen)}.`,
      ),
    cause:
      'The server gives up on the request: often its process exited, or it does not speak HTTP/1.1 on this port.',
    cure: 'lastbyte retries requests that are safe to repeat (--retries); otherwise it responds with a 502 that explains it.',
    upstreamFix: 'Check its log. Respond with an error status to a request that is refused.',
    options: ['--retries'],
  },
  {
    code: 'silent',
    severity: 'fault',
    detect: ({ tallies, timeoutMs }) =>
      found(
        seenIn(tallies.filter(isFullyOpen), tallies, 'silent'),
        (seen) => `Accepts the request but does not respond within ${duration(timeoutMs)}: ${inTries(seen)}.`,
      ),
    cause:
      'The server hangs, is stopped at a breakpoint, needs more time, or waits for a body it was not sent.',
    cure: 'lastbyte responds with 504 after --first-byte-timeout, so that no client hangs.',
    upstreamFix:
      'Find out what it is waiting for. If it needs more time, run this again with a larger --timeout.',
    options: ['--first-byte-timeout'],
  },
  {
    code: 'gone',
    severity: 'fault',
    detect: ({ tallies }) =>
      found(
        seenIn(tallies, tallies, 'unreachable'),
        (seen) => `Stopped accepting connections during the run: ${inTries(seen)} could not connect.`,
      ),
    cause: 'The server crashed or restarted, or its connection queue is full.',
    cure: 'lastbyte lets requests wait for a server that is restarting (--wait-for-upstream).',
    upstreamFix: 'Check its log at the time of these tries.',
    options: ['--wait-for-upstream'],
  },
  {
    // The server takes the rest of a body for the next request.
    code: 'leftover-body',
    severity: 'fault',
    detect: leftoverBody,
    cause:
      'The server neither reads the body to its end nor closes the connection (RFC 9112 section 9.3 requires one of them), so it reads the body where the next request should be.',
    cure: 'lastbyte never reuses a connection that carried a request body.',
    upstreamFix:
      'Read the request body to its end before reading the next request, or send "Connection: close" and close. A client may smuggle requests through this.',
  },
  {
    code: 'keep-alive-closed',
    severity: 'fault',
    detect: ({ tallies }) =>
      found(
        seenOnKept(
          withoutBody(tallies),
          ({ keepAlive }) => keepAlive === 'closed-early' || keepAlive === 'unanswered',
        ),
        (seen) =>
          `Closes kept-alive connections without announcing it: the second request was lost in ${inTries(seen)}.`,
      ),
    cause:
      'An HTTP/1.1 connection stays open unless one side sends "Connection: close" (RFC 9112 section 9.3). This server omits it.',
    cure: 'lastbyte notices when an idle connection closes, and resends a safe request on a new one without using up a retry. It never sends a request with a body on a reused connection.',
    upstreamFix:
      'Send "Connection: close" with the last response on a connection, or keep the connection open.',
    options: ['--max-idle-connections 0'],
  },
  {
    // Many servers take a client's FIN for a disconnect; few clients half-close.
    code: 'half-close',
    severity: 'note',
    detect: ({ tallies }) =>
      found(
        seenIn(
          tallies.filter((one) => !isFullyOpen(one)),
          tallies,
          'closed',
          'reset',
          'silent',
        ),
        (seen) => `Does not respond to a client that half-closes after its request: ${inTries(seen)}.`,
      ),
    cause:
      "The server treats the client's FIN as a disconnect, although it could still respond (RFC 9112 section 9.6).",
    cure: 'lastbyte responds to such a client, and never half-closes its own connection to the server.',
    upstreamFix: null,
  },
  {
    code: 'until-close',
    severity: 'note',
    detect: untilClose,
    cause:
      'If such a response is cut by a FIN, it looks complete: nobody can tell the difference (RFC 9112 section 8).',
    cure: 'lastbyte delivers it with the length that arrived, and notes in its log that it is unverifiable.',
    upstreamFix: 'Send a Content-Length, or chunks to HTTP/1.1 clients.',
  },
  {
    code: 'endless',
    severity: 'note',
    detect: ({ tallies }) =>
      found(
        seenIn(tallies, tallies, 'endless'),
        ({ affected, tries }) =>
          `Streams without an end: ${affected} of ${tries} responses were still arriving at the time or size limit, the largest after ${roundedBytes(largestBytes(tallies))}.`,
      ),
    cause: 'An event stream, a feed, or a response larger than --max-answer or slower than --try-limit.',
    cure: 'lastbyte must not wait for the end of a stream: add its path to --stream, or send it as text/event-stream.',
    upstreamFix: null,
    options: ['--stream <path>'],
  },
  {
    code: 'error-status',
    severity: 'note',
    detect: errorStatus,
    cause: 'The server rejects this request, so its behaviour with a normal response was not tested.',
    cure: null,
    upstreamFix: 'Run this again with the request your client sends: --method, --header and --data.',
  },
  {
    code: 'small-answer',
    severity: 'note',
    detect: smallAnswer,
    cause: 'A response that fits into the buffers on the path is sent before the connection closes.',
    cure: null,
    upstreamFix: 'Run this again with a URL whose response is larger.',
  },
];

function untilClose({ tallies }: Study): Detected | null {
  const sizes = evidenceOf(tallies, 'unproven').map(({ bodyBytes }) => bodyBytes);
  const smallest = Math.min(...sizes);
  const largest = Math.max(...sizes);
  const differ =
    smallest < largest ? ` Their sizes differ, from ${grouped(smallest)} to ${grouped(largest)} bytes.` : '';
  return found(
    seenIn(tallies, tallies, 'unproven'),
    ({ affected, tries }) =>
      `Ends responses by closing the connection, without a Content-Length or chunks: ${affected} of ${tries}.${differ}`,
  );
}

function errorStatus({ tallies, method }: Study): Detected | null {
  const given = withBody(tallies);
  const statuses = given.flatMap(({ observations }) =>
    observations.map(({ response }) => response.evidence.head?.status ?? 0),
  );
  const errors = statuses.filter((status) => status >= 400);
  if (errors.length === 0 || errors.length < statuses.length / 2) return null;
  const listed = [...new Set(errors)].sort((a, b) => a - b).join(', ');
  return {
    scenarios: given.map(({ scenario }) => scenario.name),
    tries: statuses.length,
    affected: errors.length,
    worst: null,
    what: `Responded to a ${method} with a body with ${listed} in ${errors.length} of ${statuses.length} tries.`,
  };
}

/** Kernels send this much at once, so a loss would hardly show. */
const SMALL_BYTES = 200_000;

function smallAnswer({ tallies }: Study): Detected | null {
  const largest = largestBytes(tallies);
  if (largest >= SMALL_BYTES || tallies.some(wasReset) || !tallies.every(allWhole)) return null;
  return {
    scenarios: [],
    tries: 0,
    affected: 0,
    worst: null,
    what: `The largest response is ${roundedBytes(largest)}: so little is rarely lost.`,
  };
}
