/** Thousands of clients that have asked once and keep their connections: what they cost, and how they are sent away. */

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '../../test/harness/client.ts';
import { close, converse } from './client.ts';
import { MeasuredProcess } from './measured-process.ts';
import { choosePlan } from './plan.ts';
import type { Plan } from './plan.ts';
import { count, mib, say } from './report.ts';
import { Thread } from './thread.ts';
import type { UpstreamAsk, UpstreamReply } from './upstream.ts';

/** Connections that are opened at once. */
const STEP = 100;
const OTHER_FILES = 200;
/** Long enough to open them all before the first is sent away. */
export const KEEP_ALIVE_SECONDS = 30;
/** How long after their time the last of them may be sent away. */
const GRACE_MS = 15_000;

/** The number of things that were wrong. */
export async function soakIdle(clients: number, keepAliveSeconds: number): Promise<number> {
  const files = openFilesLimit();
  if (files < clients + OTHER_FILES) {
    say(`${count(files)} open files are allowed (ulimit -n): too few for ${count(clients)} clients.`);
    return 1;
  }
  await using upstream = new Thread<UpstreamAsk, UpstreamReply>('upstream.ts');
  const args = ['--keep-alive-timeout', `${keepAliveSeconds}s`, '--shutdown-timeout', '30s'];
  await using proxy = new MeasuredProcess((await upstream.ask('count')).port, args);
  const port = await proxy.port();
  // What is compiled and allocated once is no cost of a connection.
  await endAll(await openAll(port, 500));
  await gone(proxy, 0, GRACE_MS);

  const before = await proxy.holdings();
  const first = await openAll(port, clients);
  const after = await proxy.holdings();
  const resident = (after.residentBytes - before.residentBytes) / clients;
  const heap = (after.heapUsedBytes - before.heapUsedBytes) / clients;
  say(
    `${count(clients)} idle clients: resident ${mib(before.residentBytes)} -> ${mib(after.residentBytes)},`,
  );
  say(`${count(Math.round(resident))} bytes each, of which ${count(Math.round(heap))} on the heap.`);
  const wrongs = [
    ...(await seeServed(port)),
    ...(await seeSentAway(first, 'at the idle timeout', keepAliveSeconds)),
  ];

  const second = await openAll(port, clients);
  const exited = proxy.stop();
  wrongs.push(...(await seeSentAway(second, 'at a stop', keepAliveSeconds)));
  const exitCode = await exited;
  if (exitCode !== 0) wrongs.push(`lastbyte ended with ${exitCode}: ${proxy.output}`);
  for (const wrong of wrongs) say(`WRONG: ${wrong}`);
  say(wrongs.length === 0 ? 'Nothing wrong.' : `${wrongs.length} things wrong.`);
  return wrongs.length;
}

/** Of this process, and so of the proxy that it starts. */
function openFilesLimit(): number {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  return Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
}

/** A sound GET of a small body. */
function plan(id: number): Plan {
  const any = choosePlan(id, () => 0);
  const wish = { ...any.wish, framed: 'length', fault: 'sound', times: 0, id, bytes: 100 } as const;
  return { ...any, method: 'GET', wish, upload: null, version: '1.1', closes: false, leaving: null };
}

async function openAll(port: number, clients: number): Promise<Client[]> {
  const open: Client[] = [];
  while (open.length < clients) {
    const step = Array.from({ length: Math.min(STEP, clients - open.length) }, async (_, index) => {
      const client = await Client.connect(port);
      await converse(client, plan(open.length + index));
      return client;
    });
    open.push(...(await Promise.all(step)));
  }
  return open;
}

async function endAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => close(client)));
}

/** Waits until no more than `most` of them have their socket in the proxy. */
async function gone(proxy: MeasuredProcess, most: number, withinMs: number): Promise<void> {
  const untilMs = performance.now() + withinMs;
  const sockets = (): number => proxy.descriptors().get('socket') ?? 0;
  while (sockets() > most + 16 && performance.now() < untilMs) await delay(100);
}

async function seeServed(port: number): Promise<string[]> {
  const client = await Client.connect(port);
  const { result } = await converse(client, plan(1));
  await close(client);
  return result === 'whole' ? [] : [`beside idle clients, a good one got ${result}`];
}

/** Each must see a FIN and nothing else. */
async function seeSentAway(
  clients: readonly Client[],
  when: string,
  withinSeconds: number,
): Promise<string[]> {
  const deadline = setTimeout(
    () => {
      for (const { socket } of clients) socket.destroy();
    },
    withinSeconds * 1000 + GRACE_MS,
  );
  const ends = await Promise.allSettled(clients.map(sentAway));
  clearTimeout(deadline);
  const wrong = ends.filter(({ status }) => status === 'rejected');
  say(`${when}: ${count(ends.length - wrong.length)} of ${count(clients.length)} saw a FIN.`);
  return wrong.length === 0 ? [] : [`${when}, ${wrong.length} saw no FIN`];
}

async function sentAway({ socket, reader }: Client): Promise<void> {
  const end = await reader.end();
  socket.end();
  if (end !== 'fin' || reader.bytes > 0) throw new Error(end);
}
