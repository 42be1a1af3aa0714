/** Connects to the upstream for what is not buffered, or waits for one that is restarting. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectResult, Connecting, UpstreamConnection } from '../upstream/connection.ts';
import { CLIENT_GONE, connectFailed, evidenceOf } from '../upstream/evidence.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { connectLimitMs, decide } from '../upstream/retry.ts';
import type { Services } from './services.ts';
import { waitingRoomFull } from './trial.ts';

export type Reached =
  | { readonly kind: 'connected'; readonly connection: UpstreamConnection; readonly waitedMs: number }
  | { readonly kind: 'failed'; readonly evidence: Evidence; readonly waitedMs: number }
  | ReturnType<typeof waitingRoomFull>;

/** @param signal aborted when there is no sense in a connection any more: the client has left, or the proxy ends */
export async function reach(services: Services, signal: AbortSignal): Promise<Reached> {
  const { settings, waitingRoom, connectAsStream } = services;
  const startedMs = performance.now();
  let waits = 0;
  try {
    for (;;) {
      const waitedMs = waits === 0 ? 0 : performance.now() - startedMs;
      const leftMs = waits === 0 ? null : settings.waitForUpstreamMs - waitedMs;
      const connecting = connectAsStream(connectLimitMs(settings.connectTimeoutMs, leftMs));
      const result = await unlessAborted(connecting, signal);
      if (signal.aborted) {
        if (result.kind === 'connected') result.connection.destroy();
        return { kind: 'failed', evidence: evidenceOf(CLIENT_GONE), waitedMs };
      }
      if (result.kind === 'connected') return { ...result, waitedMs };
      const evidence = evidenceOf(connectFailed(result));
      const decision = decide({
        verdict: 'no-response',
        evidence,
        repeatable: true,
        saysContinue: false,
        retriesLeft: 0,
        retriesMade: 0,
        forgiven: true,
        failsAlike: false,
        restarts: 0,
        waits,
        waitLeftMs: settings.waitForUpstreamMs - (performance.now() - startedMs),
        retryBackoffMs: 0,
      });
      if (decision.kind !== 'wait') return { kind: 'failed', evidence, waitedMs };
      if (waits === 0 && !waitingRoom.enter(settings.maxWaiting)) return waitingRoomFull(settings.maxWaiting);
      waits += 1;
      await sleep(decision.delayMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    if (waits > 0) waitingRoom.leave();
  }
}

async function unlessAborted(connecting: Connecting, signal: AbortSignal): Promise<ConnectResult> {
  const cancel = (): void => connecting.cancel();
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  const result = await connecting.result;
  signal.removeEventListener('abort', cancel);
  return result;
}
