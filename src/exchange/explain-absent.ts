/** Says in a sentence that the upstream takes no connections, what becomes of requests meanwhile, and where it may be instead. */

import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import type { Absent } from '../upstream/absence.ts';
import { isLasting } from '../upstream/retry.ts';
import { duration } from '../config/units.ts';

/** For the start, when nothing was asked yet. */
export function explainAbsentAtStart(absent: Absent, settings: Settings): string {
  return `${nobodyAt(absent, settings, ' yet')}; ${meanwhile(absent, settings)}${elsewhere(absent.answering)}`;
}

/** What is told when a request begins to wait. */
export interface WaitingNotice {
  /** The upstream's address, as a person would write it. */
  readonly target: string;
  /** The system's code, or what each address said where there are several. */
  readonly reason: string;
  /** Usual ports of dev servers that answer on this machine instead. */
  readonly answering: readonly number[];
  readonly sentence: string;
}

export function waitingNotice(absent: Absent, settings: Settings): WaitingNotice {
  const { reason, answering } = absent;
  return {
    target: targetUrl(settings.target),
    reason,
    answering,
    sentence: explainWaiting(absent, settings),
  };
}

function explainWaiting(absent: Absent, settings: Settings): string {
  const { waitForUpstreamMs } = settings;
  const waits = `a request waits for it, up to ${duration(waitForUpstreamMs)}`;
  return `${nobodyAt(absent, settings, '')}; ${waits}${elsewhere(absent.answering)}`;
}

/** "Ports 3000 and 5173 answer on this machine"; empty: none does. */
export function answeringText(ports: readonly number[]): string {
  const last = ports.at(-1);
  if (last === undefined) return '';
  if (ports.length === 1) return `port ${last} answers on this machine`;
  return `ports ${ports.slice(0, -1).join(', ')} and ${last} answer on this machine`;
}

function nobodyAt({ reason, errorCode }: Absent, { target }: Settings, yet: string): string {
  const url = targetUrl(target);
  const isEmpty = errorCode === 'ECONNREFUSED' || errorCode === 'ENOENT';
  return isEmpty
    ? `nothing listens at ${url}${yet} (${reason})`
    : `${url} cannot be reached${yet} (${reason})`;
}

function meanwhile({ errorCode }: Absent, { waitForUpstreamMs }: Settings): string {
  return waitForUpstreamMs === 0 || isLasting(errorCode)
    ? 'requests are refused until then'
    : `requests wait for it, up to ${duration(waitForUpstreamMs)} each`;
}

function elsewhere(ports: readonly number[]): string {
  const [port] = ports;
  return port === undefined ? '' : `; ${answeringText(ports)}: if that is your server, run lastbyte ${port}`;
}
