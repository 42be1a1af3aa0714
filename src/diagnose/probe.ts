/** One try of a scenario, on a socket of its own. */

import { openConnection } from '../upstream/dial.ts';
import { CLIENT_GONE, connectFailed, evidenceOf } from '../upstream/evidence.ts';
import type { Ending } from '../upstream/evidence.ts';
import { judge } from '../upstream/verdict.ts';
import { Conversation, type ProbeLimits } from './conversation.ts';
import type { Observation, SeenAnswer } from './outcome.ts';
import type { Asking } from './request.ts';
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
    const ending = signal.aborted ? CLIENT_GONE : connectFailed(result);
    return unconnected(ending, sendsBody(plan), endedMs);
  }
  const conversation = new Conversation(result.connection, { asking, plan, limits });
  const abort = (): void => conversation.abandon();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await conversation.run();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function unconnected(ending: Ending, withBody: boolean, endedMs: number): Observation {
  const evidence = evidenceOf(ending, { requestBody: withBody ? 'withheld' : 'none' });
  const answer: SeenAnswer = { evidence, verdict: judge(evidence), firstByteMs: null, endedMs };
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
