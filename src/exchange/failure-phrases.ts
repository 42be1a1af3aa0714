/** Phrases that several sentences share: how far the answer came, what became of the request body, which try it was. */

import type { Evidence } from '../upstream/evidence.ts';
import type { Failure } from './failure.ts';
import { bytes, duration, grouped } from './quantities.ts';

/** Only the last try is known here, so nothing is said of those before it. */
export function tries({ attempts, restarts = 0 }: Failure): string {
  return attempts > 1 && restarts === 0 ? `, on the last of ${grouped(attempts)} tries` : '';
}

export function bodyProgress({ evidence: { framing, bodyBytes } }: Failure): string {
  if (framing?.kind === 'length') return `${grouped(bodyBytes)} of ${bytes(framing.length)}`;
  if (framing?.kind === 'chunked') return `${bytes(bodyBytes)}, before the last chunk`;
  return `${bytes(bodyBytes)} of an answer without a length`;
}

export function headProgress({ evidence }: Failure): string {
  return `after ${bytes(evidence.headBytes)} of it`;
}

export function clause({ evidence }: Failure): string {
  return evidence.detail === null ? '' : ` (${evidence.detail})`;
}

export function announcedTooMuch({ evidence: { framing, bodyBytes } }: Failure): string {
  return framing?.kind === 'length' ? `announced ${bytes(framing.length)}` : `sent ${bytes(bodyBytes)}`;
}

const BODY_STATES: Readonly<Record<Evidence['requestBody'], string>> = {
  none: '',
  withheld: ' (the request body had not been sent)',
  partly: ' (the request body had been sent in part)',
  whole: ' (the request body had been sent)',
};

export function bodyState({ evidence }: Failure): string {
  return BODY_STATES[evidence.requestBody];
}

/** A socket that is closed over unread octets sends RST, and what it had still to send is lost (RFC 9112 section 9.6). */
const RESET_CAUSES: Readonly<Record<Evidence['requestBody'], (loss: string) => string>> = {
  whole: (loss) => `it most likely closed with the request body unread, so ${loss}`,
  partly: (loss) => `it most likely closed while the request body was still arriving, unread, so ${loss}`,
  withheld: () => 'the request body had not been sent yet, so its process most likely died or was restarted',
  none: () => 'the request had no body, so its process most likely died or was restarted',
};

export function resetCause({ evidence }: Failure, loss: string): string {
  return RESET_CAUSES[evidence.requestBody](loss);
}

export function resetRemedy(failure: Failure): string {
  const { requestBody } = failure.evidence;
  if (requestBody === 'none' || requestBody === 'withheld') {
    return `look for a crash or a reload in the log of the upstream${again(failure)}`;
  }
  const { withholdBody, bodyHoldMs } = failure.settings;
  const hold =
    withholdBody === 'always'
      ? `raise --body-hold above ${duration(bodyHoldMs)}`
      : 'set --withhold-body always';
  return `read the body in the view, or ${hold}${again(failure)}`;
}

/** One try although more are allowed: the request must not be repeated on the proxy's own account (RFC 9110 section 9.2.2). */
export function again({ attempts, triedAgain = false, evidence, settings }: Failure): string {
  if (attempts > 1 || triedAgain || settings.retries === 0 || evidence.streamed) return '';
  return ' (it was not tried again: only a method of --retry-methods, or an Idempotency-Key, allows that)';
}

/** What makes the end of a body provable. */
export const PROVABLE =
  'collect what the view streams and send its Content-Length, or use a server that sends chunks (gunicorn, uvicorn)';
