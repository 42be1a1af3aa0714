/** A run of the fuzzer: good messages, broken again and again; what reaches new branches is broken further. */

import { random } from '../helpers/random-body.ts';
import type { Random } from '../helpers/random-body.ts';
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
/** Inputs for the parsers alone between two that go over the wire: they are that much cheaper. */
const PARSED_PER_SENT = 20;

/** Runs for the time given, or until it has found enough. What is thrown outside of any input is a find, too. */
export async function campaign({ seed, durationMs, found }: CampaignOptions): Promise<CampaignResult> {
  const pick = random(seed);
  const corpus = { client: [...REQUESTS], upstream: [...RESPONSES] };
  const coverage = await Coverage.start();
  await using lane = await WireLane.open();
  const stopAt = performance.now() + durationMs;
  let [parsed, sent, finds] = [0, 0, 0];
  while (performance.now() < stopAt && finds < MAX_FINDS) {
    const input = anyInput(corpus, pick);
    const overWire = pick(PARSED_PER_SENT) === 0;
    const why = await fault(input, overWire ? lane : null);
    if (overWire) sent += 1;
    else parsed += 1;
    if (why !== null) {
      finds += 1;
      found(await smaller({ input, why }, overWire ? lane : null));
    }
    if ((overWire || parsed % 10 === 0) && (await coverage.grew())) corpus[input.side].push(input.text);
  }
  coverage.stop();
  const { branches } = coverage;
  return { parsed, sent, branches, kept: corpus.client.length + corpus.upstream.length };
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
  const endings = ['fin', 'fin', 'fin', 'fin', 'rst', 'rst', 'stay'] as const;
  return {
    side,
    text: mutated(text, pick(20) === 0 ? [...corpus.client, ...corpus.upstream] : texts, pick),
    cuts: Array.from({ length: pick(4) }, () => pick(1 << 16)),
    method: pick(8) === 0 ? 'HEAD' : 'GET',
    ending: endings[pick(endings.length)] ?? 'fin',
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
    return text(error);
  } finally {
    process.off('uncaughtException', onStray).off('unhandledRejection', onStray);
  }
  return stray === null ? null : `thrown outside: ${text(stray)}`;
}

function text(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error);
}

const MAX_TRIES = 300;

/** Leaves parts out while it still fails. */
async function smaller(find: Find, lane: WireLane | null): Promise<Find> {
  let least = find;
  let tries = 0;
  for (let size = Math.ceil(find.input.text.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < least.input.text.length && tries < MAX_TRIES; tries += 1) {
      const { input } = least;
      const shorter = { ...input, text: input.text.slice(0, at) + input.text.slice(at + size) };
      const why = await fault(shorter, lane);
      if (why === null) at += size;
      else least = { input: shorter, why };
    }
  }
  return least;
}
