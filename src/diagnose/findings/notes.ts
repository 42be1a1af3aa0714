/** What is no fault, and yet to be known: what cannot be proven, and what limits this diagnosis. */

import { amount, allWhole, seenIn, type Finder, type Seen } from '../finding.ts';
import { grouped } from '../../exchange/quantities.ts';
import { isReset } from '../outcome.ts';
import { largestBytes, observationsOf } from '../tally.ts';

/** Less than what a kernel sends at once on any path: loss would hardly show. */
const SMALL_BYTES = 200_000;

export const untilClose: Finder = (study) => {
  const seen = seenIn(study.tallies, study, 'unproven');
  if (seen === null) return null;
  const sizes = new Set(
    study.tallies
      .flatMap((one) => observationsOf(one, 'unproven'))
      .map(({ answer: { evidence } }) => evidence.bodyBytes),
  );
  const differ =
    sizes.size > 1
      ? ` Their sizes differ, from ${grouped(Math.min(...sizes))} to ${grouped(Math.max(...sizes))} bytes.`
      : '';
  return {
    ...note(seen),
    code: 'until-close',
    what: `Ends answers by closing, without a Content-Length or chunks: ${seen.affected} of ${seen.tries}.${differ}`,
    cause:
      'Such an answer that is cut in order looks like a whole one: nobody can tell them apart (RFC 9112 section 8).',
    cure: 'lastbyte delivers it with the length it had, and notes in its log that it is unproven.',
    upstreamFix: 'Send a Content-Length, or chunks to clients of HTTP/1.1.',
  };
};

export const endless: Finder = (study) => {
  const seen = seenIn(study.tallies, study, 'endless');
  if (seen === null) return null;
  return {
    ...note(seen),
    code: 'endless',
    what: `Streams without an end: ${seen.affected} of ${seen.tries} answers were still coming when the limit of time or size was reached, the largest after ${amount(largestBytes(study.tallies))}.`,
    cause: 'A stream of events, a feed, or an answer larger than --max-answer or slower than --try-limit.',
    cure: 'lastbyte must not wait for the end of a stream: name its path with --stream, or send it as text/event-stream.',
    upstreamFix: null,
    options: ['--stream <path>'],
  };
};

export const smallAnswer: Finder = (study) => {
  const largest = largestBytes(study.tallies);
  const { tallies } = study;
  if (
    largest >= SMALL_BYTES ||
    !tallies.every(allWhole) ||
    tallies.some(({ outcomes }) => outcomes.some(isReset))
  )
    return null;
  return {
    ...note({ scenarios: [], tries: 0, affected: 0, worst: null }),
    code: 'small-answer',
    what: `The largest answer has ${amount(largest)}: so little is rarely lost.`,
    cause: 'What fits into the buffers on the way is sent before the connection is closed.',
    cure: null,
    upstreamFix: 'Run this again on an address with a larger answer.',
  };
};

export const errorStatus: Finder = (study) => {
  const given = study.tallies.filter(({ scenario }) => scenario.plan.body.framing !== 'none');
  const statuses = given.flatMap(({ observations }) =>
    observations.map(({ answer }) => answer.evidence.head?.status ?? 0),
  );
  const errors = statuses.filter((status) => status >= 400);
  if (errors.length === 0 || errors.length < statuses.length / 2) return null;
  return {
    ...note({
      scenarios: given.map(({ scenario }) => scenario.name),
      tries: statuses.length,
      affected: errors.length,
      worst: null,
    }),
    code: 'error-status',
    what: `Answered a ${study.method} with a body by ${[...new Set(errors)].sort((a, b) => a - b).join(', ')} in ${errors.length} of ${statuses.length} tries.`,
    cause: 'It does not want this request, so what it does with an answer that matters was not seen.',
    cure: null,
    upstreamFix: 'Run this again as your client asks: --method, --header and --data.',
  };
};

function note(seen: Seen): Seen & { readonly severity: 'note'; readonly options: readonly string[] } {
  return { ...seen, severity: 'note', options: [] };
}
