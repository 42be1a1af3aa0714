/**
 * Limits how many connections are opened at once to an upstream with a short listen queue. The kernel drops a SYN when the
 * queue is full, and the client sends it again after a second (RFC 6298 section 2.1). Django's runserver has a queue of
 * 10, Python's http.server one of 5, and both are slow to accept while their threads are busy.
 */

import { performance } from 'node:perf_hooks';
import type { ConnectResult, Connecting } from './connection.ts';

/** A connect takes this long only if its SYN was sent again, or on a network so slow that the queue does not matter. */
const SYN_RETRY_MS = 900;
/** Less than the shortest usual queue. */
const MAX_UNANSWERED = 4;
/** A silent connection counts as accepted after this time: its response may be slow. */
const ACCEPTED_AFTER_MS = 25;
/** After this time, the number is unlimited again. */
const LIMITED_FOR_MS = 60_000;

const GIVEN_UP: ConnectResult = { kind: 'failed', errorCode: 'ECONNABORTED', timedOut: false, detail: null };

interface Waiting {
  readonly begin: () => void;
}

export class ConnectGate {
  readonly #clock: () => number;
  #limitedUntilMs = -Infinity;
  #unanswered = 0;
  readonly #waiting: Waiting[] = [];

  /** @param clock in ms, monotonic */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** How many connects wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Connects now, or when fewer than the maximum are unanswered. The time limit of `connect` begins then. */
  open(connect: () => Connecting): Connecting {
    if (this.#clock() >= this.#limitedUntilMs && this.#waiting.length === 0) return this.#watched(connect());
    let connecting: Connecting | null = null;
    let settle: (result: ConnectResult | Promise<ConnectResult>) => void = () => undefined;
    const result = new Promise<ConnectResult>((resolve) => {
      settle = resolve;
    });
    const waiting: Waiting = {
      begin: () => {
        connecting = this.#counted(this.#watched(connect()));
        settle(connecting.result);
      },
    };
    if (this.#unanswered < MAX_UNANSWERED) waiting.begin();
    else this.#waiting.push(waiting);
    return {
      result,
      cancel: () => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        if (connecting === null) settle(GIVEN_UP);
        else connecting.cancel();
      },
    };
  }

  /** Detects whether the SYN had to be sent again. */
  #watched(connecting: Connecting): Connecting {
    const startedMs = this.#clock();
    void connecting.result.then(({ kind }) => {
      const nowMs = this.#clock();
      if (kind === 'connected' && nowMs - startedMs >= SYN_RETRY_MS)
        this.#limitedUntilMs = nowMs + LIMITED_FOR_MS;
    });
    return connecting;
  }

  /** Counts the connection as unanswered until the upstream has accepted it, or probably has. */
  #counted(connecting: Connecting): Connecting {
    this.#unanswered += 1;
    let isCounted = true;
    const free = (): void => {
      clearTimeout(timer);
      if (!isCounted) return;
      isCounted = false;
      this.#unanswered -= 1;
      this.#waiting.shift()?.begin();
    };
    const timer = setTimeout(free, ACCEPTED_AFTER_MS);
    void connecting.result.then((result) => {
      if (result.kind === 'connected') result.connection.whenHeard(free);
      else free();
    });
    return connecting;
  }
}
