/** Notices responses that came in parts over seconds while they were held back: somebody may have wanted to see them come. */

import { originForm } from '../http/request-check.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { count, duration } from '../config/units.ts';

const MIN_HELD_MS = 2000;
const MIN_PARTS = 3;
/** What comes faster is a download that takes its time, and nobody watches one come. */
const MAX_BYTES_PER_SECOND = 256 * 1024;
const MAX_PATHS = 1000;

export class HeldBackHints {
  readonly #said = new Set<string>();

  /** The hint on a response that was held back; null: nothing to say, or it was said of this path before. */
  hint(url: string, { arrival, bodyBytes }: Evidence): string | null {
    if (arrival === null || arrival === undefined || arrival.parts < MIN_PARTS || arrival.ms < MIN_HELD_MS)
      return null;
    if (bodyBytes / (arrival.ms / 1000) > MAX_BYTES_PER_SECOND) return null;
    const path = plainPath(url);
    if (this.#said.has(path) || this.#said.size === MAX_PATHS) return null;
    this.#said.add(path);
    return (
      `The response came in ${count(arrival.parts, 'part')} over ${duration(arrival.ms)} and was held back until it ` +
      `was whole; to pass it on as it comes, name its path: --stream ${path}.`
    );
  }
}

/** As much of the path as can stand in a command as it is: --stream takes the beginning of one. */
function plainPath(url: string): string {
  return /^[\w./~:@%+,-]*/.exec(originForm(url).target)?.[0] || '/';
}
