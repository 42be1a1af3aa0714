/** Resets that no unread body explains. */

import { lossClause, ofTries, seenIn, type Finder } from '../finding.ts';
import { withoutBody } from '../tally.ts';

export const reset: Finder = (study) => {
  const plain = seenIn(
    withoutBody(study.tallies).filter(({ scenario }) => !scenario.plan.halfClose),
    study,
    'reset',
    'cut-reset',
    'reset-behind',
  );
  if (plain === null) return null;
  const lost = seenIn(study.tallies, study, 'reset', 'cut-reset');
  const unanswered = seenIn(study.tallies, study, 'reset');
  const none = unanswered !== null && unanswered.affected === lost?.affected;
  return {
    code: 'reset',
    severity: 'fault',
    ...(lost ?? plain),
    what:
      lost === null
        ? `Resets the connection behind the answer, also when there was no body to read: ${plain.affected} of ${plain.tries} tries.`
        : none
          ? `Resets the connection without answering: ${lost.affected} of ${lost.tries} tries.`
          : `Resets the connection, also when there is no body to read: ${ofTries(lost)} cut${lossClause(lost)}.`,
    cause:
      'It closes with SO_LINGER set to 0, its process or worker dies, or something on the way drops the connection.',
    cure:
      'lastbyte asks again for what is safe to repeat (--retries), and turns what stays cut into a 502 that says so; ' +
      'a POST is not repeated.',
    upstreamFix:
      'Look into its log for a worker that ended. Do not set SO_LINGER to 0; shut down the sending side and wait for the ' +
      'client to close (RFC 9112 section 9.6).',
    options: ['--retries', '--retry-backoff'],
  };
};
