/** What a failed exchange is explained by, and the phrases that several explanations share. */

import type { Settings } from '../config/settings.ts';
import type { ErrorCode } from '../errors.ts';
import { endingDetail } from '../upstream/evidence.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { answeringText } from './notices.ts';
import { bytes, duration, grouped } from '../config/units.ts';

/** What the sentence on a failed exchange is made of. */
export interface Failure {
  /** Of the last attempt. */
  readonly evidence: Evidence;
  /** Tries made, the last one included. */
  readonly attempts: number;
  /** How often the upstream went away under a try. Default: never. */
  readonly restarts?: number;
  /** Whether another try was made after it. Default: no. */
  readonly triedAgain?: boolean;
  /** The upstream's address, as a person would write it. */
  readonly target: string;
  readonly waitedMs: number;
  /** Usual ports of dev servers that answer on this machine instead. Default: none is known. */
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

/** "The upstream {happened}: {cause}. {Remedy}." At most 200 characters with usual numbers: it is a line of a log. */
export interface FailureRow<Known = Failure> {
  readonly code: ErrorCode;
  readonly happened: (failure: Known) => string;
  readonly cause: Phrase<Known> | null;
  readonly remedy: Phrase<Known>;
  /** Sentences for which the log has no room. Default: none. */
  readonly more?: string | ((failure: Known) => string | null);
}

export type Phrase<Known = Failure> = string | ((failure: Known) => string);

/** What is known when there was no connection. */
export type ConnectFailure = Pick<Failure, 'attempts' | 'answering' | 'waitedMs'> & {
  readonly evidence: Pick<Evidence, 'ending'>;
  readonly settings: Pick<Settings, 'connectTimeoutMs' | 'waitForUpstreamMs'>;
};

/** Only the last try is known here, so nothing is said of those before it. */
export function tries({ attempts, restarts = 0 }: Failure): string {
  return attempts > 1 && restarts === 0 ? ` (${grouped(attempts)} tries)` : '';
}

export function bodyProgress({ evidence: { framing, bodyBytes } }: Failure): string {
  if (framing?.kind === 'length') return `${grouped(bodyBytes)} of ${bytes(framing.length)}`;
  if (framing?.kind === 'chunked') return `${bytes(bodyBytes)}, before the last chunk`;
  return `${bytes(bodyBytes)} (no declared length)`;
}

export function headProgress({ evidence }: Failure): string {
  return `after ${bytes(evidence.headBytes)}`;
}

/** What was wrong, or what each address said where the target has several. */
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

/** A socket that is closed over unread bytes sends RST, and what it had still to send is lost (RFC 9112 section 9.6). */
export function resetDetail({ evidence: { requestBody } }: Failure): string {
  if (requestBody === 'none') return 'The request had no body, so no unread body caused the reset.';
  if (requestBody === 'withheld')
    return 'The request body had not been sent yet, so it did not cause the reset.';
  return 'A socket that closes with unread data is reset by the kernel, which discards the unsent rest of the response.';
}

/** One try although more are allowed: the request must not be repeated on the proxy's own account (RFC 9110 section 9.2.2). */
export function notRetried({ attempts, triedAgain = false, evidence, settings }: Failure): string | null {
  if (attempts > 1 || triedAgain || settings.retries === 0 || evidence.streamed) return null;
  const { kind } = evidence.ending;
  const isRetryable = kind === 'fin' || kind === 'rst' || (kind === 'parse-error' && evidence.bodyBytes > 0);
  if (!isRetryable) return null;
  return 'The request was not retried: its method is not in --retry-methods, and it has no Idempotency-Key.';
}

/** What makes the end of a body provable. */
export const PROVABLE =
  'Collect what the view streams and send its Content-Length, or use a server that sends chunks (gunicorn, uvicorn)';

export function brokenChunks(failure: Failure): string {
  const received = bytes(failure.evidence.bodyBytes);
  return `sent malformed chunks after ${received}${clause(failure)}${tries(failure)}`;
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
  return ` for ${duration(waitedMs)} (${attempts === 1 ? '1 try' : `${grouped(attempts)} tries`})`;
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

/** The code of each address that was asked, where the target has several; or else the one. */
export function errorCode({ evidence: { ending } }: ConnectFailure): string {
  return ending.kind === 'connect-failed' ? ` (${ending.detail ?? ending.errorCode})` : '';
}
