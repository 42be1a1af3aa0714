/** The clients of the soak, a thread of its own: begins exchanges at an even rate and counts what becomes of them. */

import { setTimeout as delay } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { random } from '../../test/harness/random-body.ts';
import { Client } from '../../test/harness/client.ts';
import { close, converse } from './client.ts';
import { choosePlan, mayResult, targetOf } from './plan.ts';
import type { Plan } from './plan.ts';

/** `outage` and `over` enclose the time in which the upstream is away; `rest` ends all and waits until it is over. */
export type LoadAsk =
  | { readonly kind: 'begin'; readonly port: number; readonly rate: number; readonly seed: number }
  | { readonly kind: 'rest' | 'outage' | 'over' | 'count' };

/** Totals since the thread began. */
export interface Tally {
  readonly exchanges: number;
  readonly underWay: number;
  /** Exchanges that were due and not begun, because too many were under way. */
  readonly postponed: number;
  readonly bytes: number;
  /** By result; `saved` are those that met a fault and were answered whole. */
  readonly results: Readonly<Record<string, number>>;
  readonly wrong: number;
  /** The first of them, in words. */
  readonly wrongs: readonly string[];
}

const TICK_MS = 10;
const MOST_UNDER_WAY = 400;
const MOST_IDLE = 64;
const MOST_WORDS = 20;

const results: Record<string, number> = {};
const wrongs: string[] = [];
const idle: Client[] = [];
const underWay = new Set<Promise<void>>();
let exchanges = 0;
let postponed = 0;
let bytes = 0;
let wrong = 0;
let nextId = 0;
/** Odd while the upstream is away: an exchange has met an outage if this was odd, or changed, meanwhile. */
let outages = 0;
let phase = new AbortController();

async function begin(port: number, rate: number, seed: number): Promise<void> {
  const pick = random(seed);
  const startedMs = performance.now();
  phase = new AbortController();
  const { signal } = phase;
  for (let due = 0; !signal.aborted;) {
    const dueNow = Math.floor(((performance.now() - startedMs) / 1000) * rate);
    for (; due < dueNow; due += 1) {
      if (underWay.size < MOST_UNDER_WAY) start(port, choosePlan(nextId++, pick));
      else postponed += 1;
    }
    await delay(TICK_MS);
  }
}

function start(port: number, plan: Plan): void {
  const exchange = run(port, plan).then(() => {
    underWay.delete(exchange);
  });
  underWay.add(exchange);
}

/** Never rejects. */
async function run(port: number, plan: Plan): Promise<void> {
  const outagesBefore = outages;
  try {
    const client = takeIdle() ?? (await Client.connect(port));
    const { result, reason, kept } = await converse(client, plan);
    if (kept) keepIdle(client);
    const outage = outages !== outagesBefore || outages % 2 === 1;
    if (result !== 'left' && !mayResult(plan, outage).includes(result))
      throw new Error(`${result} is not what may come of it: ${reason}`);
    const saved = result === 'whole' && plan.wish.fault !== 'sound';
    count(saved ? 'saved' : plan.wish.framed === 'upgrade' ? `upgrade ${result}` : String(result));
    if (result === 'whole') bytes += plan.wish.bytes + plan.wish.uploadBytes;
  } catch (cause) {
    wrong += 1;
    if (wrongs.length < MOST_WORDS) wrongs.push(inWords(plan, cause));
  }
  exchanges += 1;
}

function count(result: string): void {
  results[result] = (results[result] ?? 0) + 1;
}

function inWords({ method, wish, upload, version, closes }: Plan, cause: unknown): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  const sends = upload === null ? '' : ` ${upload.chunked ? 'chunked' : 'by length'}`;
  const expects = upload?.expects === true ? ' with Expect' : '';
  return `${method}${sends}${expects} ${targetOf(wish)} HTTP/${version}${closes ? ' close' : ''}: ${why}`;
}

/** @throws when something came on an idle connection, or it was reset */
function takeIdle(): Client | null {
  const client = idle.pop();
  if (client === undefined) return null;
  const { reader } = client;
  if (reader.bytes > 0) throw new Error(`${reader.bytes} bytes on an idle connection`);
  if (reader.ended === 'reset') throw new Error('an idle connection was reset');
  return reader.ended === null ? client : takeIdle();
}

function keepIdle(client: Client): void {
  if (idle.length < MOST_IDLE) idle.push(client);
  else close(client).catch(noteClosing);
}

function noteClosing(cause: unknown): void {
  wrong += 1;
  wrongs.push(`closing an idle connection: ${cause instanceof Error ? cause.message : String(cause)}`);
}

async function rest(): Promise<void> {
  phase.abort();
  await Promise.all(underWay);
  await Promise.all(idle.splice(0).map((client) => close(client).catch(noteClosing)));
}

async function obey(asked: LoadAsk): Promise<Tally> {
  if (asked.kind === 'begin') void begin(asked.port, asked.rate, asked.seed);
  if (asked.kind === 'rest') await rest();
  if (asked.kind === 'outage' || asked.kind === 'over') outages += 1;
  return { exchanges, underWay: underWay.size, postponed, bytes, results, wrong, wrongs };
}

parentPort?.on('message', (asked: LoadAsk) => {
  void obey(asked).then((tally) => parentPort?.postMessage(tally));
});
