/** Says in one sentence from what an exchange was saved; null: it went well at once. */

import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import type { AttemptRecord } from './events.ts';
import { failureCase } from './failure-case.ts';
import type { Failure } from './failure.ts';
import { FAILURES } from './failures.ts';
import { duration, grouped } from './quantities.ts';
import { restartsIn } from './absences.ts';

/** @param attempts the last one brought the whole answer */
export function explainSaved(
  attempts: readonly AttemptRecord[],
  waitedMs: number,
  settings: Settings,
): string | null {
  const restarts = restartsIn(attempts);
  if (restarts > 0) return explainRestarts(restarts, waitedMs, settings);
  const last = attempts.at(-1);
  if (last?.reason === 'retry') {
    const before = attempts.at(-2);
    return before === undefined ? null : explainRetry(before, attempts.length, settings);
  }
  if (waitedMs === 0) return null;
  return `The upstream ${targetUrl(settings.target)} took no connections for ${duration(waitedMs)}: the request waited, and was answered.`;
}

/** Whoever has a `breakpoint()` in the view meets it once for each. */
function explainRestarts(restarts: number, waitedMs: number, settings: Settings): string {
  const times = restarts === 1 ? 'once' : `${grouped(restarts)} times`;
  return (
    `The upstream ${targetUrl(settings.target)} went away ${times} while it had this request, took no connections for ` +
    `${duration(waitedMs)} in all, and answered when it was asked again: the view may have run ${grouped(restarts + 1)} times.`
  );
}

function explainRetry({ verdict, evidence }: AttemptRecord, attempts: number, settings: Settings): string {
  const target = targetUrl(settings.target);
  const { happened, cause, remedy } = FAILURES[failureCase(verdict, evidence, target)];
  // What happened is told as if that try had been the only one; the remedy, as it is after another.
  const failure: Failure = { evidence, attempts: 1, target, waitedMs: 0, settings };
  const why = cause(failure);
  const help = remedy({ ...failure, attempts });
  return (
    `The upstream ${target} ${happened(failure)}, but answered whole when it was asked again ` +
    `(${attempts} tries)${why === null ? '' : `; ${why}`}: ${help}.`
  );
}
