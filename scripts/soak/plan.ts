/** What one exchange is to be: chosen from random numbers, written into the request's target, and what may come of it. */

import type { Random } from '../../test/harness/random-body.ts';
import { LARGEST_BODY_BYTES } from './body.ts';

/** How the upstream frames its response; `none` is a 204 or 304, `events` an event stream, `upgrade` an echo. */
export type Framed = 'length' | 'chunked' | 'close' | 'none' | 'events' | 'upgrade';

/**
 * What the upstream does wrong: `fin` and `rst` end the response before its end, `hang` stops in it, `unread` closes
 * without having read the request's body.
 */
export type Fault = 'sound' | 'fin' | 'rst' | 'hang' | 'unread';

/** What the upstream reads from the target of a request. */
export interface Wish {
  readonly framed: Framed;
  readonly fault: Fault;
  /** How many tries of the request meet the fault. */
  readonly times: number;
  /** An interim response (103) comes first. */
  readonly early: boolean;
  readonly id: number;
  readonly bytes: number;
  readonly uploadBytes: number;
}

export interface Upload {
  readonly chunked: boolean;
  /** The client waits for 100 (Continue). */
  readonly expects: boolean;
}

/** Where a client that leaves early does so. */
export type Leaving = 'in-request' | 'behind-request' | 'in-answer';

export interface Plan {
  readonly method: string;
  readonly wish: Wish;
  readonly upload: Upload | null;
  readonly version: '1.0' | '1.1';
  readonly closes: boolean;
  readonly leaving: Leaving | null;
  /** For all that remains to be chosen on the way. */
  readonly dice: number;
}

const ALL_TRIES = 99;
const MAX_SAVED_TRIES = 2;

export function choosePlan(id: number, pick: Random): Plan {
  const method = chosen(pick, ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT']);
  const sends = method === 'POST' || method === 'PUT';
  const framed = method === 'GET' ? chosen(pick, GET_FRAMED) : chosen(pick, OTHER_FRAMED);
  const fault = chooseFault(framed, sends, pick);
  const version = framed !== 'upgrade' && pick(20) === 0 ? '1.0' : '1.1';
  const chunked = version === '1.1' && pick(2) === 0;
  const wish = {
    framed,
    fault,
    times: fault === 'sound' ? 0 : chosen(pick, [1, MAX_SAVED_TRIES, ALL_TRIES]),
    early: framed !== 'upgrade' && pick(20) === 0,
    id,
    bytes: framed === 'none' ? 0 : chooseBytes(pick),
    uploadBytes: sends || framed === 'upgrade' ? chooseBytes(pick) : 0,
  };
  return {
    method,
    wish,
    upload: sends ? { chunked, expects: version === '1.1' && pick(10) === 0 } : null,
    version,
    closes: version === '1.0' || pick(10) < 3,
    leaving: pick(100) < 5 ? chosen(pick, ['in-request', 'behind-request', 'in-answer'] as const) : null,
    dice: pick(2 ** 31),
  };
}

const GET_FRAMED: readonly Framed[] = [
  'length',
  'length',
  'length',
  'length',
  'chunked',
  'chunked',
  'chunked',
  'close',
  'close',
  'none',
  'events',
  'upgrade',
];
const OTHER_FRAMED: readonly Framed[] = ['length', 'length', 'chunked', 'close', 'none'];

/** Two in a hundred. A body until close that is cut by a FIN cannot be told from a whole one: that is not asked for. */
function chooseFault(framed: Framed, sends: boolean, pick: Random): Fault {
  if (framed === 'upgrade' || pick(100) >= 2) return 'sound';
  if (framed === 'close') return chosen(pick, ['rst', 'rst', 'hang'] as const);
  if (framed === 'events') return chosen(pick, ['fin', 'rst'] as const);
  return chosen(pick, ['fin', 'rst', 'hang', sends ? 'unread' : 'rst'] as const);
}

/** Most bodies are small, a few go to a file. */
function chooseBytes(pick: Random): number {
  const most = chosen(pick, [1, 1_000, 1_000, 20_000, 20_000, 20_000, 50_000, 50_000, 200_000, 200_000]);
  return pick(40) === 0 ? pick(LARGEST_BODY_BYTES) : pick(most);
}

function chosen<T>(pick: Random, from: readonly T[]): T {
  const one = from[pick(from.length)];
  if (one === undefined) throw new Error('nothing to choose from');
  return one;
}

/** What a client may see: a whole response, a stream that is visibly cut, or a refusal. */
export type Result = 'whole' | 'cut' | 502 | 503 | 504;

/**
 * @param outage the upstream went away meanwhile: connections that waited in its queue were reset, and a request on
 *   one of them was lost or met one fault more than planned
 */
export function mayResult({ method, wish }: Plan, outage: boolean): readonly Result[] {
  const safe = method === 'GET' || method === 'HEAD';
  const lost: readonly Result[] = outage ? [502, 503] : [];
  switch (wish.fault) {
    case 'sound':
      return safe && wish.framed !== 'upgrade' ? ['whole'] : ['whole', ...lost];
    case 'hang':
      return [504, ...lost];
    // Sent with its body when the hold ran out before the upstream came to answer: then it is the kernel's choice.
    case 'unread':
      return ['whole', 502, ...lost];
    case 'fin':
    case 'rst':
      if (wish.framed === 'events') return ['whole', 'cut', 502, ...lost];
      return safe && wish.times <= MAX_SAVED_TRIES ? ['whole', ...lost] : [502, ...lost];
  }
}

export function targetOf({ framed, fault, times, early, id, bytes, uploadBytes }: Wish): string {
  return `/${framed}/${fault}/${times}/${early ? 'early' : 'plain'}/${id}/${bytes}/${uploadBytes}`;
}

const FRAMED = new Map<string, Framed>(
  [...GET_FRAMED, ...OTHER_FRAMED].map((framed): [string, Framed] => [framed, framed]),
);
const FAULTS = new Map<string, Fault>(
  (['sound', 'fin', 'rst', 'hang', 'unread'] as const).map((fault): [string, Fault] => [fault, fault]),
);

/** @throws when it is not what `targetOf` wrote */
export function wishOf(target: string): Wish {
  const [, framedWord = '', faultWord = '', times, early, id, bytes, uploadBytes] = target.split('/');
  const framed = FRAMED.get(framedWord);
  const fault = FAULTS.get(faultWord);
  if (framed === undefined || fault === undefined) throw new Error(`not a target of our own: ${target}`);
  return {
    framed,
    fault,
    times: Number(times),
    early: early === 'early',
    id: Number(id),
    bytes: Number(bytes),
    uploadBytes: Number(uploadBytes),
  };
}
