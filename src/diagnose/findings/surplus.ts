/** Octets behind the end of an answer: a length that is too small. */

import { amount, seenIn, type Finder } from '../finding.ts';
import { observationsOf, type Tally } from '../tally.ts';
import { sendsBody } from '../scenario.ts';

export const surplus: Finder = (study) => {
  const hit = study.tallies.filter((one) => !isLeftover(one));
  const seen = seenIn(hit, study, 'surplus');
  if (seen === null) return null;
  const most = Math.max(
    ...hit
      .flatMap((one) => observationsOf(one, 'surplus'))
      .map(({ answer: { evidence } }) => evidence.surplusBytes),
  );
  return {
    code: 'surplus',
    severity: 'fault',
    ...seen,
    what: `Sends up to ${amount(most)} more than it announced: ${seen.affected} of ${seen.tries} tries.`,
    cause:
      'Its Content-Length is smaller than its body: often characters are counted for octets. Clients cut it off there, or take the rest for the next answer.',
    cure: 'lastbyte delivers what was announced, drops the rest with a note in its log, and never uses such a connection again; it cannot know that the rest was meant.',
    upstreamFix: 'Set Content-Length to the octets of the body, or leave it out and send chunks.',
    options: [],
  };
};

/** What comes behind an answer whose request had a body may be the answer to that body, taken for a request. */
function isLeftover({ scenario: { plan } }: Tally): boolean {
  return plan.again && sendsBody(plan);
}
