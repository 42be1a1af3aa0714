/** One try of a scenario, on a socket of its own. */

import { openConnection } from '../upstream/dial.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { Conversation, type ProbeLimits } from './conversation.ts';
import type { Observation, SeenAnswer } from './observation.ts';
import type { Asking } from './request-octets.ts';
import { sendsBody, type Plan } from './scenarios.ts';

/** Never rejects: whatever happens is an observation. `signal` ends it as if the client had gone. */
export async function probe(
  asking: Asking,
  plan: Plan,
  limits: ProbeLimits,
  signal: AbortSignal,
): Promise<Observation> {
  const { connectTimeoutMs: timeoutMs, insecure } = limits;
  const startedMs = performance.now();
  const connecting = openConnection({ target: asking.subject.target, insecure, timeoutMs });
  const cancel = (): void => connecting.cancel();
  signal.addEventListener('abort', cancel);
  const result = await connecting.result;
  signal.removeEventListener('abort', cancel);
  if (result.kind === 'failed') {
    const endedMs = performance.now() - startedMs;
    return unconnected({ ...result, endedMs, withBody: sendsBody(plan), aborted: signal.aborted });
  }
  const conversation = new Conversation(result.connection, { asking, plan, limits });
  const abort = (): void => conversation.stop('client-gone');
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await conversation.run();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function unconnected(failure: {
  readonly errorCode: string;
  readonly timedOut: boolean;
  readonly detail: string | null;
  readonly endedMs: number;
  readonly withBody: boolean;
  readonly aborted: boolean;
}): Observation {
  const { errorCode, timedOut, detail, endedMs, withBody, aborted } = failure;
  const evidence: Evidence = {
    ending: aborted ? 'client-gone' : 'connect-failed',
    head: null,
    framing: null,
    streamed: false,
    headBytes: 0,
    interimBytes: 0,
    bodyBytes: 0,
    surplusBytes: 0,
    trailerFields: 0,
    reusedConnection: false,
    requestBody: withBody ? 'withheld' : 'none',
    expectation: 'none',
    timeout: timedOut ? 'connect' : null,
    detail,
    errorCode,
  };
  const answer: SeenAnswer = {
    evidence,
    verdict: aborted ? 'abandoned' : 'no-response',
    firstByteMs: null,
    endedMs,
  };
  return {
    answer,
    interim: [],
    closed: { by: 'nobody', afterMs: endedMs },
    bodyRead: withBody ? 'not-sent' : 'no-body',
    headStartMs: null,
    keepAlive: 'not-asked',
    again: null,
  };
}
