/** Notices without a failure: an upstream that accepts no connections yet, and a buffered response that may be meant to stream. */

import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import { count, duration } from '../config/units.ts';
import { originForm } from '../http/request.ts';
import type { Absent } from '../upstream/absence.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { isLasting } from '../upstream/retry.ts';

/** For the log at startup, before any request. */
export function explainAbsentAtStart(absent: Absent, settings: Settings): string {
  return `${nobodyAt(absent, settings, ' yet')}; ${meanwhile(absent, settings)}${elsewhere(absent.answering)}`;
}

/** Reported when a request begins to wait. */
export interface WaitingNotice {
  /** The upstream's address, as a person would write it. */
  readonly target: string;
  /** The system's code, or the result of each address where there are several. */
  readonly reason: string;
  /** Usual ports of dev servers that accept connections on this machine instead. */
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
  const waits = `a request is waiting for it, up to ${duration(waitForUpstreamMs)}`;
  return `${nobodyAt(absent, settings, '')}; ${waits}${elsewhere(absent.answering)}`;
}

/** "ports 3000 and 5173 answer on this machine"; empty without ports. */
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

const MIN_HELD_MS = 2000;
const MIN_PARTS = 3;
/** A faster response is a large download, which need not stream. */
const MAX_BYTES_PER_SECOND = 256 * 1024;
const MAX_PATHS = 1000;

export class HeldBackHints {
  readonly #said = new Set<string>();

  /** The hint on a buffered response that may be meant to stream; null: it is not, or the path already had the hint. */
  hint(url: string, { arrival, bodyBytes }: Evidence): string | null {
    if (arrival === null || arrival.parts < MIN_PARTS || arrival.ms < MIN_HELD_MS) return null;
    if (bodyBytes / (arrival.ms / 1000) > MAX_BYTES_PER_SECOND) return null;
    const path = plainPath(url);
    if (this.#said.has(path) || this.#said.size === MAX_PATHS) return null;
    this.#said.add(path);
    return (
      `The response arrived in ${count(arrival.parts, 'part')} over ${duration(arrival.ms)} and was buffered until it ` +
      `was complete. To relay it as it arrives, set --stream ${path}`
    );
  }
}

/** The start of the path that needs no quoting in a shell: --stream accepts a prefix. */
function plainPath(url: string): string {
  return /^[\w./~:@%+,-]*/.exec(originForm(url).target)?.[0] || '/';
}
