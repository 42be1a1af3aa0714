/** How long an upstream that serves one request at a time is busy with a slow client: directly, and through each peer. */

import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Arguments } from '../arguments.ts';
import { median } from '../load.ts';
import type { Peer } from '../peers.ts';
import { freePort } from '../../test/harness/ports.ts';
import { Scene } from '../scene.ts';
import { figure, table } from '../tables.ts';

const BYTES = 20 * 1024 * 1024;
const READ_EVERY_MS = 5;

export async function slowClient({ peers, rounds }: Arguments): Promise<string> {
  await using scene = await Scene.open();
  await using busy = new BusyUpstream();
  await busy.listen();
  const fronts = new Map<string, number>();
  for (const peer of peers) fronts.set(peer.name, await portOf(peer, busy.port, scene));
  const times = new Map<string, { busyMs: number[]; clientMs: number[] }>(
    peers.map(({ name }) => [name, { busyMs: [], clientMs: [] }]),
  );
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, port] of fronts) {
      const startedMs = performance.now();
      await readSlowly(port);
      times.get(name)?.clientMs.push(performance.now() - startedMs);
      times.get(name)?.busyMs.push(await busy.lastMs());
    }
  }
  const direct = median(times.get('direct')?.busyMs ?? []);
  const rows = Array.from(times, ([name, { busyMs, clientMs }]) => [
    name,
    figure(median(busyMs)),
    figure(median(busyMs) / direct),
    figure(median(clientMs)),
  ]);
  const how = `A 20 MB response to a client that reads up to 64 KB every ${READ_EVERY_MS} ms; medians of ${rounds} interleaved rounds.`;
  return [how, table(['', 'upstream busy, ms', '÷ direct', 'client served, ms'], rows)].join('\n\n');
}

async function portOf(peer: Peer, originPort: number, scene: Scene): Promise<number> {
  if (peer.name === 'direct') return originPort;
  const port = await freePort();
  await scene.startBefore(originPort, port, peer, `slow-${peer.name}`);
  return port;
}

/** Busy from the request's head until the last byte of the response is with the kernel. */
class BusyUpstream implements AsyncDisposable {
  readonly #body = Buffer.alloc(BYTES, 'x');
  readonly #times: Promise<number>[] = [];
  readonly #server = createServer((_request, response) => {
    this.#times.push(this.#answer(response));
  });

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async lastMs(): Promise<number> {
    return (await this.#times.at(-1)) ?? Number.NaN;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server.close(), 'close');
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(response: ServerResponse): Promise<number> {
    const startedMs = performance.now();
    response.writeHead(200, { 'Content-Length': BYTES });
    response.end(this.#body);
    await once(response, 'finish');
    return performance.now() - startedMs;
  }
}

/** Takes what one read gives, and pauses, again and again. */
async function readSlowly(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
  let got = 0;
  socket.on('data', (part) => {
    got += part.length;
    socket.pause();
    setTimeout(() => socket.resume(), READ_EVERY_MS);
    if (got >= BYTES) socket.destroy();
  });
  await once(socket, 'close');
  if (got < BYTES) throw new Error(`The slow client got ${got} of ${BYTES} bytes.`);
}
