/** The input of failure explanations, and the phrases that several of them share. */

import type { Settings } from '../config/settings.ts';
import type { ErrorCode } from '../errors.ts';
import { endingDetail } from '../upstream/evidence.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { answeringText } from './notices.ts';
import { bytes, duration, grouped } from '../config/units.ts';

/** The input of the sentence on a failed exchange. */
export interface Failure {
  /** The evidence of the last attempt. */
  readonly evidence: Evidence;
  /** Number of attempts, including the last. */
  readonly attempts: number;
  /** How many times the upstream went away during an attempt. Default: 0. */
  readonly restarts?: number;
  /** Whether another attempt followed. Default: no. */
  readonly triedAgain?: boolean;
  /** The upstream's address, as a person would write it. */
  readonly target: string;
  readonly waitedMs: number;
  /** Usual ports of dev servers that accept connections on this machine instead. Default: none. */
  readonly answering?: readonly number[];
  readonly settings: Pick<
    Settings,
    | 'withholdBody'
    | 'bodyHoldMs'
    | 'retries'
    | 'waitForUpstreamMs'
    | 'connectTimeoutMs'
    | 'firstByteTimeoutMs'
    | 'bodyIdleTimeoutMs'
    | 'maxHeaderBytes'
    | 'maxResponseBodyBytes'
  >;
}

/** "The upstream {happened}: {cause}. {Remedy}." At most 200 characters with usual numbers, because it is one line of the log. */
export interface FailureRow<Known = Failure> {
  readonly code: ErrorCode;
  readonly happened: (failure: Known) => string;
  readonly cause: Phrase<Known> | null;
  readonly remedy: Phrase<Known>;
  /** Further sentences, too long for the log. Default: none. */
  readonly more?: string | ((failure: Known) => string | null);
}

export type Phrase<Known = Failure> = string | ((failure: Known) => string);

/** The input of the sentence on a failed connect. */
export type ConnectFailure = Pick<Failure, 'attempts' | 'answering' | 'waitedMs'> & {
  readonly evidence: Pick<Evidence, 'ending'>;
  readonly settings: Pick<Settings, 'connectTimeoutMs' | 'waitForUpstreamMs'>;
};

/** Nothing after a restart: the count would include attempts from before it. */
export function attemptCount({ attempts, restarts = 0 }: Failure): string {
  return attempts > 1 && restarts === 0 ? ` (${grouped(attempts)} attempts)` : '';
}

export function bodyProgress({ evidence: { framing, bodyBytes } }: Failure): string {
  if (framing?.kind === 'length') return `${grouped(bodyBytes)} of ${bytes(framing.length)}`;
  if (framing?.kind === 'chunked') return `${bytes(bodyBytes)}, before the last chunk`;
  return `${bytes(bodyBytes)} (no declared length)`;
}

export function headProgress({ evidence }: Failure): string {
  return `after ${bytes(evidence.headBytes)}`;
}

/** What was wrong, or the result of each address where the target has several. */
export function clause({ evidence }: Pick<ConnectFailure, 'evidence'>): string {
  const detail = endingDetail(evidence.ending);
  return detail === null ? '' : ` (${detail})`;
}

export function announcedTooMuch({ evidence: { framing, bodyBytes } }: Failure): string {
  return framing?.kind === 'length' ? `announced ${bytes(framing.length)}` : `sent ${bytes(bodyBytes)}`;
}

const BODY_STATES: Readonly<Record<Evidence['requestBody'], string | null>> = {
  none: null,
  withheld: 'The request body had not been sent yet.',
  partly: 'The request body had been sent in part.',
  whole: 'The request body had been sent.',
};

export function bodyState({ evidence }: Failure): string | null {
  return BODY_STATES[evidence.requestBody];
}

const RESET_CAUSES: Readonly<Record<Evidence['requestBody'], string>> = {
  whole: 'it probably left the request body unread',
  partly: 'it probably closed before reading the body',
  withheld: 'its process probably crashed or restarted',
  none: 'its process probably crashed or restarted',
};

export function resetCause({ evidence }: Failure): string {
  return RESET_CAUSES[evidence.requestBody];
}

export function resetRemedy({ evidence, settings }: Failure): string {
  const { requestBody } = evidence;
  if (requestBody === 'none' || requestBody === 'withheld') return 'Check its log for a crash or a reload';
  const { withholdBody, bodyHoldMs } = settings;
  const hold =
    withholdBody === 'always'
      ? `raise --body-hold above ${duration(bodyHoldMs)}`
      : 'set --withhold-body always';
  return `Read the body in the view, or ${hold}`;
}

/** A socket that is closed with unread bytes sends RST, and its unsent bytes are lost (RFC 9112 section 9.6). */
export function resetDetail({ evidence: { requestBody } }: Failure): string {
  if (requestBody === 'none') return 'The request had no body, so no unread body caused the reset.';
  if (requestBody === 'withheld')
    return 'The request body had not been sent yet, so it did not cause the reset.';
  return 'A socket that closes with unread data is reset by the kernel, which discards the unsent rest of the response.';
}

/** One attempt although retries are allowed: the proxy must not repeat the request on its own (RFC 9110 section 9.2.2). */
export function notRetried({ attempts, triedAgain = false, evidence, settings }: Failure): string | null {
  if (attempts > 1 || triedAgain || settings.retries === 0 || evidence.streamed) return null;
  const { kind } = evidence.ending;
  const isRetryable = kind === 'fin' || kind === 'rst' || (kind === 'parse-error' && evidence.bodyBytes > 0);
  if (!isRetryable) return null;
  return 'The request was not retried: its method is not in --retry-methods, and it has no Idempotency-Key.';
}

/** How to make the end of a body verifiable. */
export const PROVABLE =
  'Collect what the view streams and send its Content-Length, or use a server that sends chunks (gunicorn, uvicorn)';

export function brokenChunks(failure: Failure): string {
  const received = bytes(failure.evidence.bodyBytes);
  return `sent malformed chunks after ${received}${clause(failure)}${attemptCount(failure)}`;
}

export function instead({ answering = [] }: ConnectFailure): string {
  return answering.length === 0 ? '' : ` (${answeringText(answering)})`;
}

export function waited({ waitedMs }: ConnectFailure): boolean {
  return waitedMs > 0;
}

export function during(failure: ConnectFailure): string {
  if (!waited(failure)) return '';
  const { waitedMs, attempts } = failure;
  return ` for ${duration(waitedMs)} (${attempts === 1 ? '1 attempt' : `${grouped(attempts)} attempts`})`;
}

export function waitLonger({ settings }: ConnectFailure): string {
  const { waitForUpstreamMs } = settings;
  return waitForUpstreamMs === 0
    ? 'set --wait-for-upstream'
    : `raise --wait-for-upstream above ${duration(waitForUpstreamMs)}`;
}

export function longEnough(failure: ConnectFailure): string {
  return waited(failure) ? during(failure) : ` within ${duration(failure.settings.connectTimeoutMs)}`;
}

/** The error code of each address, where the target has several, or else the one code. */
export function errorCode({ evidence: { ending } }: ConnectFailure): string {
  return ending.kind === 'connect-failed' ? ` (${ending.detail ?? ending.errorCode})` : '';
}
