/** An upstream that accepts no connections: detecting and reporting it, waiting for it, the other servers that may be meant; and checking one that has just cut a connection. */

import { performance } from 'node:perf_hooks';
import type { Target } from '../config/settings.ts';
import { isLoopback } from '../config/target.ts';
import type { Connecting, ConnectResult, UpstreamConnection } from './connection.ts';
import { openConnection } from './dial.ts';
import { wentAway } from './evidence.ts';
import type { Evidence } from './evidence.ts';

/** An upstream that accepts no connections. */
export interface Absent {
  /** The system's code, or the result of each address where there are several. */
  readonly reason: string;
  readonly errorCode: string;
  /** Usual ports of dev servers that accept connections on this machine; empty until they have been probed. */
  readonly answering: readonly number[];
}

export interface AbsenceOptions {
  /** Finds other ports that accept connections. Called only before the upstream was ever reached: later, it is restarting. */
  readonly answeringPorts: () => Promise<readonly number[]>;
  /** Called when the first request begins to wait. */
  readonly waiting: (absent: Absent) => void;
}

/** Detects that the upstream accepts no connections, and reports each such period once, when the first request begins to wait. */
export class Absence {
  readonly #options: AbsenceOptions;
  #wasThere = false;
  #absent: Absent | null = null;
  /** Settles when the other ports have been probed. */
  #portsProbed: Promise<void> = Promise.resolve();
  #reported = false;

  constructor(options: AbsenceOptions) {
    this.#options = options;
  }

  /** Usual ports of dev servers that accept connections instead. */
  get answering(): readonly number[] {
    return this.#absent?.answering ?? [];
  }

  /** Call with the result of each attempt to connect. */
  met(result: ConnectResult): void {
    if (result.kind === 'connected') {
      this.#wasThere = true;
      this.#absent = null;
      this.#reported = false;
    } else if (this.#absent === null) {
      this.#absent = {
        reason: result.detail ?? result.errorCode,
        errorCode: result.errorCode,
        answering: [],
      };
      this.#portsProbed = this.#wasThere ? Promise.resolve() : this.#probePorts(this.#absent);
    }
  }

  waitBegins(): void {
    if (this.#reported || this.#absent === null) return;
    this.#reported = true;
    void this.#portsProbed.then(() => {
      if (this.#absent !== null) this.#options.waiting(this.#absent);
    });
  }

  async #probePorts(absent: Absent): Promise<void> {
    const answering = await this.#options.answeringPorts();
    if (this.#absent === absent) this.#absent = { ...absent, answering };
  }
}

/** Counts the requests that wait, across reloads of the settings. */
export interface Waiters {
  count: number;
}

/** Bounds how many requests wait at once. */
export class WaitingRoom {
  readonly #waiters: Waiters;
  readonly #entered: () => void;

  /** @param entered called when a request begins to wait */
  constructor(waiters: Waiters, entered: () => void) {
    this.#waiters = waiters;
    this.#entered = entered;
  }

  /** False: the room is full. True: `leave` must follow. */
  enter(maxWaiting: number): boolean {
    if (this.#waiters.count >= maxWaiting) return false;
    this.#waiters.count += 1;
    this.#entered();
    return true;
  }

  leave(): void {
    this.#waiters.count -= 1;
  }
}

/** One attempt. Times are ms since the exchange began. */
interface ObservedAttempt {
  readonly startedMs: number;
  readonly endedMs: number;
  readonly evidence: Evidence;
}

/** How many times the upstream went away during one request, and how long the request waited for it. */
export class Absences implements Disposable {
  readonly #room: WaitingRoom;
  readonly #limits: { readonly waitForUpstreamMs: number; readonly maxWaiting: number };
  #isInRoom = false;
  #startedMs = 0;
  /** Time waited in earlier absences. */
  #waitedBeforeMs = 0;
  waitedMs = 0;
  /** Number of waits since the upstream was last reachable. */
  waits = 0;
  restarts = 0;

  constructor(
    room: WaitingRoom,
    limits: { readonly waitForUpstreamMs: number; readonly maxWaiting: number },
  ) {
    this.#room = room;
    this.#limits = limits;
  }

  /** Call with each attempt. @returns whether it shows that the previous attempt failed because the upstream went away */
  learn(before: ObservedAttempt | undefined, { startedMs, endedMs, evidence }: ObservedAttempt): boolean {
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

  /** Time left to wait, counted in each absence from the first attempt that could not connect. */
  leftMs(nowMs: number): number {
    return this.#limits.waitForUpstreamMs - (nowMs - this.#startedMs);
  }

  /** False: too many requests wait already. */
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

export function restartsIn(attempts: readonly Pick<ObservedAttempt, 'evidence'>[]): number {
  return attempts.filter(({ evidence }, index) => {
    const before = attempts[index - 1];
    return before !== undefined && wentAway(before.evidence, evidence);
  }).length;
}

/** Rails and Node, Angular, Astro, Flask, Vite, Django and http.server, webpack and Tomcat, Jupyter, PHP. */
const USUAL_PORTS: readonly number[] = [
  3000, 3001, 4000, 4200, 4321, 5000, 5173, 5174, 8000, 8001, 8080, 8888, 9000,
];
/** macOS itself listens there (AirPlay). */
const SYSTEM_PORT = process.platform === 'darwin' ? 5000 : null;

/** A connection on loopback is accepted at once or not at all. */
const TIMEOUT_MS = 200;

/**
 * Which of the usual ports of dev servers accept connections on this machine: one of them may be the intended target.
 * Empty if the target is another machine. Connects to each port and sends nothing.
 *
 * @param except the proxy's own ports
 */
export async function answeringPorts(target: Target, except: readonly number[]): Promise<readonly number[]> {
  if (target.kind === 'unix' || !isLoopback(target.host)) return [];
  const others = USUAL_PORTS.filter(
    (port) => port !== target.port && port !== SYSTEM_PORT && !except.includes(port),
  );
  const answers = await Promise.all(others.map(portAccepts));
  return others.filter((_, index) => answers[index]);
}

function portAccepts(port: number): Promise<boolean> {
  const target: Target = { kind: 'tcp', tls: false, host: 'localhost', port };
  return accepts(openConnection({ target, insecure: false, timeoutMs: TIMEOUT_MS }));
}

/** Whether the connection is accepted. It is closed at once, and nothing is sent. */
export async function accepts(connecting: Connecting): Promise<boolean> {
  const result = await connecting.result;
  if (result.kind === 'connected') result.connection.destroy();
  return result.kind === 'connected';
}

/**
 * A connection must stay open this long. The kernel accepts connections for a process that is exiting, and resets them
 * when its listening socket is closed, at the same time as its other connections.
 */
const STAYS_OPEN_MS = 250;

/** Pause after a connection that did not stay open, so that an upstream that closes each at once is not flooded. */
const PAUSE_MS = 25;

type ConnectFailure = Extract<ConnectResult, { kind: 'failed' }>;

/** Checks whether an upstream that has just cut a connection still accepts new ones. Sends nothing, so the upstream acts on nothing. */
export class Look {
  readonly #connect: () => Connecting;
  #isCancelled = false;
  #stop: () => void = () => undefined;

  constructor(connect: () => Connecting) {
    this.#connect = connect;
  }

  /** Why no connection was accepted; null: one was, or the check was cancelled. */
  async run(): Promise<ConnectFailure | null> {
    const untilMs = performance.now() + STAYS_OPEN_MS;
    for (;;) {
      const connecting = this.#connect();
      this.#stop = () => connecting.cancel();
      const result = await connecting.result;
      if (this.#isCancelled && result.kind === 'connected') result.connection.destroy();
      if (this.#isCancelled) return null;
      if (result.kind === 'failed') return result;
      const { connection } = result;
      this.#stop = () => connection.destroy();
      const staysOpen = await staysOpenUntil(connection, untilMs);
      connection.destroy();
      if (staysOpen || this.#isCancelled) return null;
      await this.#pause();
      if (this.#isCancelled) return null;
    }
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#stop();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, PAUSE_MS);
      this.#stop = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Whether the connection is still open at that time. */
function staysOpenUntil(connection: UpstreamConnection, untilMs: number): Promise<boolean> {
  const leftMs = Math.ceil(untilMs - performance.now());
  if (leftMs <= 0 || !connection.usable) return Promise.resolve(leftMs <= 0);
  return new Promise((resolve) => {
    connection.attach({
      window: () => null,
      bytes: () => {
        resolve(true);
        return true;
      },
      ended: () => resolve(false),
      timedOut: () => resolve(true),
    });
    connection.setTimeout(leftMs);
    connection.socket.once('close', () => resolve(false));
  });
}
