/** Requests that get no octet of an answer: closed without one, or left in silence. */

import { duration } from '../../exchange/quantities.ts';
import { seenIn, type Finder } from '../finding.ts';
import type { Tally } from '../tally.ts';

export const noAnswer: Finder = (study) => {
  const seen = seenIn(study.tallies.filter(isFullyOpen), study, 'closed');
  if (seen === null) return null;
  return {
    code: 'no-answer',
    severity: 'fault',
    ...seen,
    what: `Closes the connection without an answer: ${seen.affected} of ${seen.tries} tries.`,
    cause: 'It gives up on the request: often its process ended, or it does not speak HTTP/1.1 on this port.',
    cure: 'lastbyte asks again for what is safe to repeat (--retries), and answers 502 in words otherwise.',
    upstreamFix: 'Look into its log; answer a request that is refused with a status.',
    options: ['--retries'],
  };
};

export const silent: Finder = (study) => {
  const seen = seenIn(study.tallies.filter(isFullyOpen), study, 'silent');
  if (seen === null) return null;
  return {
    code: 'silent',
    severity: 'fault',
    ...seen,
    what: `Takes the request and does not answer within ${duration(study.timeoutMs)}: ${seen.affected} of ${seen.tries} tries.`,
    cause: 'It hangs, sits at a breakpoint, needs longer, or waits for a body that it was not sent.',
    cure: 'lastbyte answers 504 after --first-byte-timeout, so that no client hangs.',
    upstreamFix: 'Find out what it waits for. If it needs longer, run this again with a larger --timeout.',
    options: ['--first-byte-timeout'],
  };
};

/** Many servers take a client that has sent its FIN for one that has left; few clients do it. */
export const halfClose: Finder = (study) => {
  const seen = seenIn(
    study.tallies.filter((one) => !isFullyOpen(one)),
    study,
    'closed',
    'reset',
    'silent',
  );
  if (seen === null || seen.affected === 0) return null;
  return {
    code: 'half-close',
    severity: 'note',
    ...seen,
    what: `Does not answer a client that closes its sending side behind its request: ${seen.affected} of ${seen.tries} tries.`,
    cause:
      'It takes the FIN of the client for its departure; it could still be answered (RFC 9112 section 9.6).',
    cure: 'lastbyte answers such a client, and never half-closes toward the server.',
    upstreamFix: null,
    options: [],
  };
};

function isFullyOpen({ scenario }: Tally): boolean {
  return !scenario.plan.halfClose;
}
