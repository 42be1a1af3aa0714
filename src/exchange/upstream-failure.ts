/** The error that tells why the upstream's response could not be had, and its numbers. */

import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import { ProxyError } from '../errors.ts';
import type { AttemptRecord } from './events.ts';
import { restartsIn } from './absences.ts';
import { explain } from './explain.ts';
import { NO_HINTS } from '../client/peer.ts';
import type { LocalHints } from '../client/peer.ts';
import { NO_FACTS } from './refuse.ts';
import type { RefusalFacts } from './refuse.ts';

export interface UpstreamFailure {
  readonly error: ProxyError;
  readonly facts: RefusalFacts;
}

/** Told by the last of the attempts. */
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
  const tries = attempts.length;
  const restarts = restartsIn(attempts);
  const explanation = explain({
    verdict,
    evidence,
    attempts: tries,
    restarts,
    target,
    waitedMs,
    settings,
    answering,
  });
  const { code, sentence, remedy, expected, received, end } = explanation;
  return {
    error: new ProxyError(code, sentence),
    facts: {
      nextHop: target,
      receivedStatus: evidence.head?.status ?? null,
      details: expected === null ? null : `${received} of ${expected}`,
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
