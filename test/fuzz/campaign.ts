/** A run of the fuzzer: good messages, broken again and again; what reaches new branches is broken further. */

import { random } from '../harness/random-body.ts';
import type { Random } from '../harness/random-body.ts';
import { Coverage } from './coverage.ts';
import { mutated } from './mutate.ts';
import { tryParsers } from './parsers.ts';
import { REQUESTS, RESPONSES } from './seeds.ts';
import { WireLane } from './wire.ts';
import type { WireInput } from './wire.ts';

export interface CampaignOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** Called with each find, already made small. */
  readonly found: (find: Find) => void;
}

export interface Find {
  readonly input: WireInput;
  readonly why: string;
}

export interface CampaignResult {
  readonly parsed: number;
  readonly sent: number;
  readonly branches: number;
  readonly kept: number;
}

const MAX_FINDS = 20;
const STRAY = 'thrown outside';
/** Inputs for the parsers alone between two that go over the wire: they are that much cheaper. */
const PARSED_PER_SENT = 20;
/** Counting branches takes longer than trying an input. Each that goes over the wire is counted. */
const COUNTED_EVERY = 10;

/** Inputs under way at once: most of the time over the wire is waiting. */
const LANES = 4;

/** Runs for the time given, or until it has found enough. What is thrown outside of any input is a find, too. */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const coverage = await Coverage.start();
  const state: State = {
    corpus: { client: [...REQUESTS], upstream: [...RESPONSES] },
    coverage,
    stopAt: performance.now() + options.durationMs,
    parsed: 0,
    sent: 0,
    finds: 0,
  };
  await Promise.all(Array.from({ length: LANES }, (_none, lane) => runLane(options, state, lane)));
  coverage.stop();
  const { parsed, sent, corpus } = state;
  return { parsed, sent, branches: coverage.branches, kept: corpus.client.length + corpus.upstream.length };
}

interface State {
  readonly corpus: Corpus;
  readonly coverage: Coverage;
  readonly stopAt: number;
  parsed: number;
  sent: number;
  finds: number;
}

async function runLane(options: CampaignOptions, state: State, number: number): Promise<void> {
  const pick = random(options.seed + number);
  await using lane = await WireLane.open();
  for (let turn = 1; performance.now() < state.stopAt && state.finds < MAX_FINDS; turn += 1) {
    const input = anyInput(state.corpus, pick);
    const overWire = turn % PARSED_PER_SENT === 0;
    const why = await fault(input, overWire ? lane : null);
    if (overWire) state.sent += 1;
    else state.parsed += 1;
    if (why !== null) {
      state.finds += 1;
      // What is thrown outside may be of another input that is under way: leaving parts out of this one tells nothing.
      const isStray = why.startsWith(STRAY);
      options.found(isStray ? { input, why } : await smaller({ input, why }, overWire ? lane : null));
    }
    const isNew = turn % COUNTED_EVERY === 0 && (await state.coverage.grew());
    if (isNew) state.corpus[input.side].push(input.text);
  }
}

/** Tries one input everywhere. @returns what is wrong, or null */
export async function replay(input: WireInput): Promise<string | null> {
  await using lane = await WireLane.open();
  return (await fault(input, null)) ?? (await fault(input, lane));
}

type Corpus = Readonly<Record<WireInput['side'], string[]>>;

function anyInput(corpus: Corpus, pick: Random): WireInput {
  const side = pick(2) === 0 ? 'client' : 'upstream';
  const texts = corpus[side];
  const text = texts[pick(texts.length)] ?? '';
  const streams = pick(4) === 0;
  const endings = ['fin', 'fin', 'fin', 'fin', 'rst', 'rst', 'stay'] as const;
  const ending = endings[pick(endings.length)] ?? 'fin';
  return {
    side,
    streams,
    text: mutated(text, pick(20) === 0 ? [...corpus.client, ...corpus.upstream] : texts, pick),
    cuts: Array.from({ length: pick(4) }, () => pick(1 << 16)),
    method: pick(8) === 0 ? 'HEAD' : 'GET',
    // A stream may be silent for as long as it likes.
    ending: streams && ending === 'stay' ? 'fin' : ending,
  };
}

/** @param lane null: the parsers alone */
async function fault(input: WireInput, lane: WireLane | null): Promise<string | null> {
  let stray: unknown = null;
  const onStray = (error: unknown): void => {
    stray ??= error;
  };
  process.on('uncaughtException', onStray).on('unhandledRejection', onStray);
  try {
    if (lane === null) tryParsers(input);
    else await lane.try(input);
  } catch (error) {
    return wordsOf(error);
  } finally {
    process.off('uncaughtException', onStray).off('unhandledRejection', onStray);
  }
  return stray === null ? null : `${STRAY}: ${wordsOf(stray)}`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error);
}

const MAX_TRIES = 300;
const MAX_SMALLER_MS = 20_000;

/** Leaves parts out while it still fails. */
async function smaller(find: Find, lane: WireLane | null): Promise<Find> {
  let least = find;
  let tries = 0;
  const stopAt = performance.now() + MAX_SMALLER_MS;
  for (let size = Math.ceil(find.input.text.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < least.input.text.length && tries < MAX_TRIES; tries += 1) {
      if (performance.now() > stopAt) return least;
      const { input } = least;
      const shorter = { ...input, text: input.text.slice(0, at) + input.text.slice(at + size) };
      const why = await fault(shorter, lane);
      if (why === null) at += size;
      else least = { input: shorter, why };
    }
  }
  return least;
}
