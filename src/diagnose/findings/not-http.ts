/** Answers that are none, and servers that stop listening in the middle. */

import { seenIn, type Finder } from '../finding.ts';
import { observationsOf } from '../tally.ts';

/** A TLS alert (RFC 8446 section 5.1): content type 21, version 3.x. */
const TLS_ALERT = /\\u0015\\u0003/;

export const notHttp: Finder = (study) => {
  const seen = seenIn(study.tallies, study, 'not-http');
  if (seen === null) return null;
  const details = study.tallies
    .flatMap((one) => observationsOf(one, 'not-http'))
    .map(({ answer: { evidence } }) => evidence.detail ?? 'it is not HTTP/1.1');
  const [detail = ''] = details;
  const isTls = details.some((one) => TLS_ALERT.test(one));
  return {
    code: 'not-http',
    severity: 'fault',
    ...seen,
    what: `Answers what is not HTTP/1.1: ${detail}, in ${seen.affected} of ${seen.tries} tries.`,
    cause: isTls
      ? 'It speaks TLS on this port.'
      : 'Another protocol is spoken on this port, or something writes into the answer.',
    cure: 'lastbyte answers 502 in words instead of passing it on.',
    upstreamFix: isTls
      ? 'Write https:// in the address.'
      : 'Check the address and the port; look what writes to the socket besides the server.',
    options: isTls ? ['--target https://…'] : ['--target'],
  };
};

export const gone: Finder = (study) => {
  const seen = seenIn(study.tallies, study, 'unreachable');
  if (seen === null) return null;
  return {
    code: 'gone',
    severity: 'fault',
    ...seen,
    what: `Stopped taking connections in the middle of this: ${seen.affected} of ${seen.tries} tries could not connect.`,
    cause: 'It crashed, restarted, or its queue of connections is full.',
    cure: 'lastbyte lets a request wait for a server that is restarting (--wait-for-upstream).',
    upstreamFix: 'Look into its log at the time of these tries.',
    options: ['--wait-for-upstream'],
  };
};
