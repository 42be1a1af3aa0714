/** Whether the upstream is there when the proxy starts: a wrong port is better known before the first request has waited for it. */

import type { Settings } from '../config/settings.ts';
import { explainAbsentAtStart } from '../exchange/explain-absent.ts';
import { answeringPorts } from '../upstream/absence.ts';
import { openConnection } from '../upstream/dial.ts';

export interface AbsentAtStart {
  /** Null: it takes connections, or the question was cancelled. */
  readonly sentence: Promise<string | null>;
  cancel(): void;
}

/** @param ownUrls where lastbyte itself listens; null: nowhere */
export function absentAtStart(settings: Settings, ownUrls: readonly (string | null)[]): AbsentAtStart {
  const { target, insecure, connectTimeoutMs: timeoutMs } = settings;
  const connecting = openConnection({ target, insecure, timeoutMs });
  let cancelled = false;
  const ask = async (): Promise<string | null> => {
    const result = await connecting.result;
    if (result.kind === 'connected') {
      result.connection.destroy();
      return null;
    }
    const { errorCode, detail } = result;
    const answering = await answeringPorts(target, ownUrls.map(portOf));
    if (cancelled) return null;
    return explainAbsentAtStart({ reason: detail ?? errorCode, errorCode, answering }, settings);
  };
  return {
    sentence: ask(),
    cancel: () => {
      cancelled = true;
      connecting.cancel();
    },
  };
}

function portOf(url: string | null): number {
  return Number(/:(\d+)$/.exec(url ?? '')?.[1] ?? 0);
}
