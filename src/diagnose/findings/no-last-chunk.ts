/** Chunked answers that never say that they are over. */

import { seenIn, type Finder } from '../finding.ts';
import { observationsOf } from '../tally.ts';

export const noLastChunk: Finder = (study) => {
  const hit = study.tallies.filter((one) =>
    observationsOf(one, 'cut-closed', 'stalled').some(
      ({ answer: { evidence } }) => evidence.framing?.kind === 'chunked',
    ),
  );
  const seen = seenIn(hit, study, 'cut-closed', 'stalled');
  if (seen === null) return null;
  const waits = seenIn(hit, study, 'cut-closed') === null;
  return {
    code: 'no-last-chunk',
    severity: 'fault',
    ...seen,
    what:
      `Ends a chunked answer without its last chunk, and then ${waits ? 'waits' : 'closes in order (FIN)'}: ` +
      `${seen.affected} of ${seen.tries} tries.`,
    cause:
      'Whatever makes its body ended by an exception, or it forgets the chunk of length 0 that ends a body (RFC 9112 section 7.1).',
    cure:
      'lastbyte makes of it a 502, or a 504 where it waits, instead of a 200 with a part, and asks again for what is safe to repeat: ' +
      'without the last chunk nobody can know that the answer is whole.',
    upstreamFix: 'Look into its log for the exception; send "0", CRLF, CRLF behind the last chunk.',
    options: waits ? ['--body-idle-timeout'] : [],
  };
};
