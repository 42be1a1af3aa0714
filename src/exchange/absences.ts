/** How often the upstream went away under one request, and the time that was spent on waiting for it. */

import { wentAway } from '../upstream/evidence.ts';
import type { WaitingRoom } from '../upstream/absence.ts';
import type { AttemptRecord } from './events.ts';

export class Absences implements Disposable {
  readonly #room: WaitingRoom;
  readonly #limits: { readonly waitForUpstreamMs: number; readonly maxWaiting: number };
  #isInRoom = false;
  #startedMs = 0;
  /** In the absences before. */
  #waitedBeforeMs = 0;
  waitedMs = 0;
  /** How often it was found that nobody is there, since the upstream was there last. */
  waits = 0;
  restarts = 0;

  constructor(
    room: WaitingRoom,
    limits: { readonly waitForUpstreamMs: number; readonly maxWaiting: number },
  ) {
    this.#room = room;
    this.#limits = limits;
  }

  /** Learns from a try. @returns whether it shows that the try before died with the upstream */
  learn(before: AttemptRecord | undefined, { startedMs, endedMs, evidence }: AttemptRecord): boolean {
    const isAway = evidence.ending.kind === 'connect-failed';
    if (!isAway) this.waits = 0;
    if (this.waits === 0) {
      this.#waitedBeforeMs = this.waitedMs;
      this.#startedMs = isAway ? startedMs : endedMs;
    }
    const isRestart = before !== undefined && wentAway(before.evidence, evidence);
    if (isRestart) this.restarts += 1;
    return isRestart;
  }

  /** Counted from the first try that found nobody there, each time that the upstream goes away. */
  leftMs(nowMs: number): number {
    return this.#limits.waitForUpstreamMs - (nowMs - this.#startedMs);
  }

  /** False: too many wait already. */
  wait(): boolean {
    if (!this.#isInRoom && !this.#room.enter(this.#limits.maxWaiting)) return false;
    this.#isInRoom = true;
    this.waits += 1;
    return true;
  }

  waited(nowMs: number): void {
    this.waitedMs = this.#waitedBeforeMs + nowMs - this.#startedMs;
  }

  [Symbol.dispose](): void {
    if (this.#isInRoom) this.#room.leave();
  }
}

export function restartsIn(attempts: readonly AttemptRecord[]): number {
  return attempts.filter(({ evidence }, index) => {
    const before = attempts[index - 1];
    return before !== undefined && wentAway(before.evidence, evidence);
  }).length;
}
