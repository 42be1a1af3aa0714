/** Requests that get no octet of an answer: closed without one, or left in silence. */

import { duration } from '../../exchange/quantities.ts';
import { seenIn, type Finder } from '../finding.ts';

export const noAnswer: Finder = (study) => {
  const seen = seenIn(study.tallies, study, 'closed');
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
  const seen = seenIn(study.tallies, study, 'silent');
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
