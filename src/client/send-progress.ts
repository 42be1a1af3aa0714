/** Whether a client takes what it is sent: it may take no byte for --client-receive-timeout, and no longer. */

import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

/** The clock of a client that is sent something. */
export class ReceiveClock {
  readonly #socket: Socket;
  readonly #limitMs: number;
  /** At the last look. */
  #unacknowledged: Unacknowledged | null = null;
  #running = false;

  /** @param limitMs 0: it may take as long as it likes */
  constructor(socket: Socket, limitMs: number) {
    this.#socket = socket;
    this.#limitMs = limitMs;
  }

  /** There is something for the client that the kernel has not taken yet. */
  start(): void {
    this.#running = true;
    this.#socket.setTimeout(this.#limitMs);
  }

  /** The client is owed nothing: it may be silent, and so may we. */
  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#socket.setTimeout(0);
  }

  /** The socket's time is over. Returns why the client is to be given up; null: it is not. */
  expired(): string | null {
    if (!this.#running) return null;
    if (!this.#isTaking())
      return `The client took no byte of the response for --client-receive-timeout, ${this.#limitMs} ms.`;
    this.#socket.setTimeout(this.#limitMs);
    return null;
  }

  /**
   * Whether the client has acknowledged any of what the kernel holds for it since the last look; true at the first, where the system
   * tells. Node sees only whether the kernel takes more, and the kernel takes more only when a third of its send buffer (up to 4 MiB)
   * is free again: a client that reads steadily but slowly looks to Node like one that reads nothing. See proc_net_tcp in the
   * kernel's documentation: `tx_queue`.
   */
  #isTaking(): boolean {
    const before = this.#unacknowledged;
    const now = unacknowledged(this.#socket);
    this.#unacknowledged = now;
    if (now === null) return false;
    return before === null || before.look === now.look || before.bytes !== now.bytes;
  }
}

/** A look at ten thousand connections takes a tenth of a second: clients share one for so many times what it took. */
const SHARED_FOR_LOOKS = 10;

interface Unacknowledged {
  readonly bytes: number;
  /** Two with the same look say nothing about the time between them. */
  readonly look: number;
}

let table: ReadonlyMap<string, number> = new Map();
let look = 0;
let freshUntilMs = -Infinity;

/** Null where the system does not tell: it is no Linux, or the client came by a unix socket. */
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

/** Connections that share both ports are counted together: at worst a client is given up one time limit later. */
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
