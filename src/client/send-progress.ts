/** Whether a client reads what it is sent: enforces --client-receive-timeout. */

import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

/** The receive timeout of one client connection. */
export class ReceiveClock {
  readonly #socket: Socket;
  readonly #limitMs: number;
  /** At the last check. */
  #unacknowledged: Unacknowledged | null = null;
  #running = false;

  /** @param limitMs 0: no limit */
  constructor(socket: Socket, limitMs: number) {
    this.#socket = socket;
    this.#limitMs = limitMs;
  }

  /** Call when bytes for the client are waiting that the kernel has not taken yet. */
  start(): void {
    this.#running = true;
    this.#socket.setTimeout(this.#limitMs);
  }

  /** Call when no bytes for the client are waiting. */
  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#socket.setTimeout(0);
  }

  /** Call at the socket's `timeout` event. Returns why the client is disconnected; null: it makes progress. */
  expired(): string | null {
    if (!this.#running) return null;
    if (!this.#isTaking())
      return `The client took no byte of the response for --client-receive-timeout, ${this.#limitMs} ms.`;
    this.#socket.setTimeout(this.#limitMs);
    return null;
  }

  /**
   * Whether the client has acknowledged any byte in the kernel's send buffer since the last check; true at the first check, where the
   * system tells. Node sees only whether the kernel accepts more, which it does only when a third of its send buffer (up to 4 MiB)
   * is free again: a client that reads slowly but steadily looks to Node like one that reads nothing. See `tx_queue` in
   * proc_net_tcp of the kernel's documentation.
   */
  #isTaking(): boolean {
    const before = this.#unacknowledged;
    const now = unacknowledged(this.#socket);
    this.#unacknowledged = now;
    if (now === null) return false;
    return before === null || before.look === now.look || before.bytes !== now.bytes;
  }
}

/** Reading a table of ten thousand connections takes 0.1 s: clients share one reading for this many times its duration. */
const SHARED_FOR_LOOKS = 10;

interface Unacknowledged {
  readonly bytes: number;
  /** Values from the same reading of the table cannot be compared. */
  readonly look: number;
}

let table: ReadonlyMap<string, number> = new Map();
let look = 0;
let freshUntilMs = -Infinity;

/** Null where it is unknown: not on Linux, or the client uses a unix socket. */
function unacknowledged({ localPort, remotePort }: Socket): Unacknowledged | null {
  if (localPort === undefined || remotePort === undefined) return null;
  const startedMs = performance.now();
  if (startedMs > freshUntilMs) {
    table = bytesByPorts([tableText('tcp'), tableText('tcp6')].join('\n'));
    look += 1;
    const endedMs = performance.now();
    freshUntilMs = endedMs + SHARED_FOR_LOOKS * (endedMs - startedMs);
  }
  const bytes = table.get(`${hexPort(localPort)} ${hexPort(remotePort)}`);
  return bytes === undefined ? null : { bytes, look };
}

/** Connections with the same two ports are added up: at worst, a client is disconnected one timeout later. */
function bytesByPorts(text: string): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  // sl local_address:port rem_address:port st tx_queue:rx_queue …
  for (const [, local, remote, queued = ''] of text.matchAll(
    /^ *\d+: [\dA-F]+:([\dA-F]{4}) [\dA-F]+:([\dA-F]{4}) [\dA-F]{2} ([\dA-F]{8}):/gm,
  )) {
    const ports = `${local} ${remote}`;
    bytes.set(ports, (bytes.get(ports) ?? 0) + Number.parseInt(queued, 16));
  }
  return bytes;
}

function tableText(name: 'tcp' | 'tcp6'): string {
  try {
    return readFileSync(`/proc/self/net/${name}`, 'latin1');
  } catch {
    return '';
  }
}

function hexPort(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
