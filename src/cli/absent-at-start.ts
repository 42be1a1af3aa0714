/** Whether the upstream is there when the proxy starts: a wrong port is better known before the first request has waited for it. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Settings } from '../config/settings.ts';
import { explainAbsentAtStart } from '../exchange/explain-absent.ts';
import { answeringPorts } from '../upstream/absence.ts';
import type { Connecting } from '../upstream/connection.ts';
import { openConnection } from '../upstream/dial.ts';

export interface AbsentAtStart {
  /** Null: it takes connections, or the question was cancelled. */
  readonly sentence: Promise<string | null>;
  cancel(): void;
}

const PROBE_MS = 100;

/**
 * @param ownUrls where lastbyte itself listens; null: nowhere
 * @param patienceMs for so long it is asked again
 */
export function absentAtStart(
  settings: Settings,
  ownUrls: readonly (string | null)[],
  patienceMs: number,
): AbsentAtStart {
  const { target, insecure, connectTimeoutMs: timeoutMs } = settings;
  const connect = (): Connecting => openConnection({ target, insecure, timeoutMs });
  const deadlineMs = performance.now() + patienceMs;
  let connecting = connect();
  const cancelling = new AbortController();
  const ask = async (): Promise<string | null> => {
    let result = await connecting.result;
    while (result.kind === 'failed' && performance.now() < deadlineMs) {
      await delay(PROBE_MS, undefined, { ref: false });
      if (cancelling.signal.aborted) return null;
      connecting = connect();
      result = await connecting.result;
    }
    if (result.kind === 'connected') {
      result.connection.destroy();
      return null;
    }
    const { errorCode, detail } = result;
    const answering = await answeringPorts(target, ownUrls.map(portOf));
    if (cancelling.signal.aborted) return null;
    return explainAbsentAtStart({ reason: detail ?? errorCode, errorCode, answering }, settings);
  };
  return {
    sentence: ask(),
    cancel: () => {
      cancelling.abort();
      connecting.cancel();
    },
  };
}

function portOf(url: string | null): number {
  return Number(/:(\d+)$/.exec(url ?? '')?.[1] ?? 0);
}
