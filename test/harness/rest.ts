/** Upstream connections rest before they are used again: what is about a used connection has to wait for that. */

import { setTimeout as sleep } from 'node:timers/promises';
import { REST_MS } from '../../src/upstream/pool.ts';

/** Resolves when every connection that is idle now may be used again. */
export async function connectionsRested(): Promise<void> {
  await sleep(REST_MS + 5);
}
