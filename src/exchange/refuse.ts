/** The proxy's own responses: what went wrong, for programs and for people. */

import { STATUS_CODES } from 'node:http';
import { NO_HINTS } from '../client/peer.ts';
import type { LocalHints } from '../client/peer.ts';
import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import { duration } from '../config/units.ts';
import { ProxyError } from '../errors.ts';
import { fieldValues } from '../http/fields.ts';
import { ALLOWED_METHODS, prefersHtml, renderProblem } from '../http/problem.ts';
import type { Request } from '../http/request.ts';
import { BodyInMemory } from '../spool/spooled-body.ts';
import { restartsIn } from '../upstream/absence.ts';
import { hasBody } from './deliver.ts';
import type { Answer } from './deliver.ts';
import type { AttemptRecord } from './events.ts';
import { explain } from './explain.ts';

/** What a refusal contains in addition to the error. */
export interface RefusalFacts {
  readonly nextHop: string | null;
  readonly receivedStatus: number | null;
  /** A short clause with the numbers, such as "30000 of 51200". */
  readonly details: string | null;
  /** Sentences that follow the error's message; null: none. */
  readonly more: string | null;
  readonly extensions: Readonly<Record<string, string | number | boolean | null>>;
}

export const NO_FACTS: RefusalFacts = {
  nextHop: null,
  receivedStatus: null,
  details: null,
  more: null,
  extensions: {},
};

/** The response that refuses a request, as HTML for a browser and as application/problem+json for all others. */
export function refusalAnswer(request: Request, error: ProxyError, facts: RefusalFacts, id: string): Answer {
  const { fields, body } = renderProblem({
    error,
    html: prefersHtml(fieldValues(request.fields, 'accept').join(', ')),
    instance: `urn:lastbyte:exchange:${id}`,
    ...facts,
  });
  return {
    status: error.status,
    reason: STATUS_CODES[error.status] ?? '',
    fields,
    body: hasBody(request.method, error.status)
      ? new BodyInMemory([body], body.length, () => undefined)
      : null,
  };
}

/** With Max-Forwards 0, the proxy is the final recipient (RFC 9110 section 7.6.2). It refuses TRACE, which would echo secrets. */
export function finalRecipientAnswer({ method }: Request): Answer {
  const [status, reason] = method === 'OPTIONS' ? [200, 'OK'] : [405, 'Method Not Allowed'];
  return { status, reason, fields: ['Allow', ALLOWED_METHODS, 'Content-Length', '0'], body: null };
}

/** For an exchange that did not end within the shutdown timeout. */
export function shuttingDown(shutdownTimeoutMs: number): ProxyError {
  const sentence =
    `lastbyte is shutting down, and the exchange did not end within --shutdown-timeout (${duration(shutdownTimeoutMs)}). ` +
    'Retry once it is running again, or raise --shutdown-timeout.';
  return new ProxyError('shutting_down', sentence);
}

/** For an exchange whose upstream process has exited. */
export function upstreamEnded(): ProxyError {
  const sentence =
    'The upstream has exited, and lastbyte exits with it. ' +
    'Check the output of the upstream, and retry once both are running again.';
  return new ProxyError('shutting_down', sentence);
}

export interface UpstreamFailure {
  readonly error: ProxyError;
  readonly facts: RefusalFacts;
}

/** Explains the failure by the last attempt. */
export function upstreamFailure(
  attempts: readonly AttemptRecord[],
  waitedMs: number,
  settings: Settings,
  hints: LocalHints = NO_HINTS,
): UpstreamFailure {
  const last = attempts.at(-1);
  if (last === undefined) {
    return { error: new ProxyError('internal_error', 'lastbyte never asked the upstream.'), facts: NO_FACTS };
  }
  const { verdict, evidence } = last;
  const target = targetUrl(settings.target);
  const { answering, inspector } = hints;
  const restarts = restartsIn(attempts);
  const explanation = explain({
    verdict,
    evidence,
    attempts: attempts.length,
    restarts,
    target,
    waitedMs,
    settings,
    answering,
  });
  const { code, sentence, remedy, more, expected, received, end } = explanation;
  return {
    error: new ProxyError(code, sentence),
    facts: {
      nextHop: target,
      receivedStatus: evidence.head?.status ?? null,
      details: expected === null ? null : `${received} of ${expected}`,
      more,
      extensions: {
        attempts: attempts.length,
        expected,
        received,
        end,
        request_body: evidence.requestBody,
        waited_ms: Math.round(waitedMs),
        remedy,
        ...(inspector === null ? {} : { inspector }),
      },
    },
  };
}
