/** What one lastbyte of a test leaves: its records, and nothing in its folder. */

import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExchangeRecord } from '../../src/index.ts';

/** Short clocks, no second tries' pauses, and no wait for an upstream: for a test that says nothing else. */
export const QUICK = {
  retryBackoff: 1,
  waitForUpstream: 0,
  bodyIdleTimeout: 400,
  firstByteTimeout: 2000,
} as const;

export class KeptRecords {
  readonly all: ExchangeRecord[] = [];
  readonly #waiting: (() => void)[] = [];

  readonly add = (record: ExchangeRecord): void => {
    this.all.push(record);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** The record of exchange number `index`, counted from 0, once it is over. */
  async at(index: number): Promise<ExchangeRecord> {
    for (;;) {
      const record = this.all[index];
      if (record !== undefined) return record;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }
}

export function makeSpoolFolder(): string {
  return mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
}

/** @throws an error naming what was left in it */
export function removeEmpty(folder: string): void {
  const files = readdirSync(folder);
  if (files.length > 0) throw new Error(`left in the spool folder: ${files.join(', ')}`);
  rmdirSync(folder);
}
