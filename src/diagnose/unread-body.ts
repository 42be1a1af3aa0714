/** The fault that lastbyte exists for: a close with an unread request body, which the kernel turns into a reset. */

import { lossClause, ofTries } from './detect.ts';
import type { Detect, Detected, Study } from './detect.ts';
import type { Plan } from './scenarios.ts';
import { allWhole, observationsOf, RESETS, seenIn, wasReset, withBody, withoutBody } from './tally.ts';
import type { Outcome, Seen, Tally } from './tally.ts';

const LOSSES: readonly Outcome[] = ['reset', 'cut-reset', 'cut-closed'];

/** The proxy's default for --body-hold. */
const BODY_HOLD_MS = 100;

export const unreadBody: Detect = (study) => {
  const resets = seenIn(withBody(study.tallies), study.tallies, ...RESETS);
  // If a request without a body is reset too, the body is not the cause.
  const plain = withoutBody(study.tallies).filter(({ scenario }) => !scenario.plan.halfClose);
  if (resets === null || plain.some(wasReset)) return null;
  const hit = study.tallies.filter(({ scenario }) => resets.scenarios.includes(scenario.name));
  const lost = seenIn(hit, study.tallies, ...LOSSES);
  const chunkedOnly = hit.every(({ scenario }) => scenario.plan.body.framing === 'chunked');
  return {
    ...(lost ?? resets),
    scenarios: resets.scenarios,
    what: what(bodyWords(hit), resets, lost),
    ...cureOf(study, chunkedOnly),
    ...(chunkedOnly ? { upstreamFix: FIX_FOR_CHUNKED } : {}),
  };
};

const FIX_FOR_CHUNKED =
  'Decode a chunked request body and read it to its end before closing. If that is not possible, shut down the sending side, ' +
  'keep reading, and close once the client has closed (RFC 9112 section 9.6). In an application, read the body before responding.';

function what(body: string, resets: Seen, lost: Seen | null): string {
  const when = `Resets the connection when it closes with an unread ${body}`;
  if (lost !== null) return `${when}: ${ofTries(lost)} truncated${lossClause(lost)}.`;
  return (
    `${when}, in ${resets.affected} of ${resets.tries} tries. All responses arrived before the reset: with a larger ` +
    'response, a slower client or a longer path, part of it would be lost.'
  );
}

function bodyWords(hit: readonly Tally[]): string {
  const framings = new Set(hit.map(({ scenario }) => scenario.plan.body.framing));
  if (framings.size > 1) return 'request body, with a Content-Length or chunked';
  return framings.has('chunked') ? 'chunked request body' : 'request body';
}

/** Something is called a cure only if it was seen to deliver complete responses. */
function cureOf(study: Study, chunkedOnly: boolean): Pick<Detected, 'cure' | 'options'> {
  const whole = (fits: (plan: Plan) => boolean): boolean => {
    const fitting = study.tallies.filter(({ scenario }) => fits(scenario.plan));
    return fitting.length > 0 && fitting.every((one) => allWhole(one) && !wasReset(one));
  };
  const withLength = ({ body }: Plan): boolean => body.framing === 'length';
  if (chunkedOnly && whole((plan) => withLength(plan) && plan.connection === 'close')) {
    return { cure: 'lastbyte avoids it by sending a Content-Length.', options: [] };
  }
  if (whole(({ body }) => body.framing !== 'none' && body.sent === 'withheld')) {
    return {
      cure: 'lastbyte avoids it by withholding the body until the server has responded without it.',
      options: holdOptions(study),
    };
  }
  if (whole((plan) => withLength(plan) && plan.connection === 'keep-alive')) {
    return {
      cure: 'lastbyte avoids it by sending a Content-Length and keeping the connection open.',
      options: [],
    };
  }
  return { options: ['--withhold-body always'] };
}

/** If a server begins its response only after the hold, it gets the body the first time: the hold must be longer. */
function holdOptions({ tallies }: Study): readonly string[] {
  const begins = tallies
    .filter(({ scenario: { plan } }) => plan.body.framing !== 'none' && plan.body.sent === 'withheld')
    .flatMap((one) => observationsOf(one, 'whole', 'unproven'))
    .map(({ response }) => response.firstByteMs ?? 0);
  const slowest = Math.max(0, ...begins);
  if (slowest < BODY_HOLD_MS) return [];
  return [`--body-hold ${Math.ceil((slowest * 2) / 100) * 100}ms`];
}
