/** Kept connections that do not keep what was promised: closed without a word, or spoilt by an unread body. */

import type { Observation } from '../observation.ts';
import { sum, type Finder, type Finding, type Study } from '../finding.ts';
import { sendsBody } from '../scenario.ts';
import { countOf, withBody, withoutBody, type Tally } from '../tally.ts';

export const keepAliveClosed: Finder = (study) => {
  const seen = seenWhere(
    withoutBody(study.tallies),
    ({ keepAlive }) => keepAlive === 'closed-early' || keepAlive === 'unanswered',
  );
  if (seen === null) return null;
  return {
    code: 'keep-alive-closed',
    severity: 'fault',
    ...seen,
    what: `Does not keep a connection that it did not say it would close: the second request was lost in ${seen.affected} of ${seen.tries} tries.`,
    cause:
      'In HTTP/1.1 a connection stays open unless one side says "Connection: close" (RFC 9112 section 9.3); this server leaves it out.',
    cure: 'lastbyte notices an idle connection that is closed, and sends a safe request again on a fresh one at no cost of a try; a request with a body never goes out on a used connection.',
    upstreamFix:
      'Send "Connection: close" with an answer that is the last of its connection, or keep it open.',
    options: ['--max-idle-connections 0'],
  };
};

/** The server takes what is left of a body for the next request. */
export const leftoverBody: Finder = (study) => {
  const usual = usualStatuses(study);
  // Where more than was announced comes without a body too, it is no answer to what was left of one.
  const hasOwnSurplus = withoutBody(study.tallies).some((one) => countOf(one, 'surplus') > 0);
  const seen = seenWhere(
    withBody(study.tallies),
    (observation) => isSpoilt(observation, usual) || (!hasOwnSurplus && isAnsweredTwice(observation)),
  );
  if (seen === null) return null;
  return {
    code: 'leftover-body',
    severity: 'fault',
    ...seen,
    what: `Takes an unread request body for the next request on a kept connection: ${seen.affected} of ${seen.tries} tries.`,
    cause:
      'It neither reads the body to its end nor closes the connection (RFC 9112 section 9.3 asks for one of them), so the body stands where the next request should.',
    cure: 'lastbyte never uses a connection again that carried a request body.',
    upstreamFix:
      'Read the request body to its end before the next request is read, or say "Connection: close" and close. A client may smuggle requests through this.',
    options: [],
  };
};

function isAnsweredTwice({ answer }: Observation): boolean {
  return answer.verdict === 'complete' && answer.evidence.surplusBytes > 0;
}

function isSpoilt({ again }: Observation, usual: ReadonlySet<number>): boolean {
  if (again === null) return false;
  const status = again.evidence.head?.status ?? null;
  return again.verdict === 'malformed' || (status !== null && usual.size > 0 && !usual.has(status));
}

/** Statuses of a GET that nothing went before. */
function usualStatuses({ tallies }: Study): ReadonlySet<number> {
  const plain = tallies.filter(({ scenario: { plan } }) => plan.method === 'GET' && !sendsBody(plan));
  const statuses = plain.flatMap(({ observations }) =>
    observations.map(({ answer }) => answer.evidence.head?.status),
  );
  return new Set(statuses.filter((status) => status !== undefined));
}

function seenWhere(
  tallies: readonly Tally[],
  shows: (observation: Observation) => boolean,
): Pick<Finding, 'scenarios' | 'tries' | 'affected' | 'worst'> | null {
  const kept = tallies.filter(
    ({ scenario, observations }) => scenario.plan.again && observations.some(shows),
  );
  if (kept.length === 0) return null;
  return {
    scenarios: kept.map(({ scenario }) => scenario.name),
    tries: sum(kept, ({ observations }) => observations.length),
    affected: sum(kept, ({ observations }) => observations.filter(shows).length),
    worst: null,
  };
}
