/** All scenarios, in the order in which they are run: what others are compared with comes first. */

import { sendsBody, type Scenario } from './scenario.ts';
import { chunkedClosed } from './scenarios/chunked-closed.ts';
import { chunkedKept } from './scenarios/chunked-kept.ts';
import { chunkedSlow } from './scenarios/chunked-slow.ts';
import { emptyClosed } from './scenarios/empty-closed.ts';
import { getClosed } from './scenarios/get-closed.ts';
import { getHalfClosed } from './scenarios/get-half-closed.ts';
import { getHttp10 } from './scenarios/get-http10.ts';
import { getKept } from './scenarios/get-kept.ts';
import { getLate } from './scenarios/get-late.ts';
import { getSlow } from './scenarios/get-slow.ts';
import { lengthClosed } from './scenarios/length-closed.ts';
import { lengthExpect } from './scenarios/length-expect.ts';
import { lengthHalf } from './scenarios/length-half.ts';
import { lengthHttp10 } from './scenarios/length-http10.ts';
import { lengthKept } from './scenarios/length-kept.ts';
import { lengthSlow } from './scenarios/length-slow.ts';
import { lengthWithheld } from './scenarios/length-withheld.ts';

export const SCENARIOS: readonly Scenario[] = [
  getKept,
  getClosed,
  getSlow,
  getLate,
  getHalfClosed,
  getHttp10,
  emptyClosed,
  lengthClosed,
  lengthSlow,
  lengthKept,
  lengthWithheld,
  lengthHalf,
  lengthExpect,
  lengthHttp10,
  chunkedClosed,
  chunkedSlow,
  chunkedKept,
];

/** What there is to run for this method: an empty GET is run as a GET already. */
export function scenariosFor(method: string, only: readonly string[]): readonly Scenario[] {
  const fitting = SCENARIOS.filter(
    ({ plan }) => sendsBody(plan) || plan.method === 'GET' || method !== 'GET',
  );
  return only.length === 0 ? fitting : fitting.filter(({ name }) => only.includes(name));
}
