/** Makes spool writers that share the process-wide budgets and one folder. */

import type { Settings } from '../config/settings.ts';
import type { SpoolRoom } from './body-room.ts';
import { Budget } from './budget.ts';
import type { Account } from './budget.ts';
import { BufferPool } from './buffer-pool.ts';
import { openNamelessFile } from './spool-file.ts';
import { SpoolWriter } from './spool-writer.ts';

type SpoolSettings = Pick<Settings, 'memoryTotalBytes' | 'diskTotalBytes' | 'spoolDir' | 'spoolWaitMs'>;

/** How long a body of known length waits for memory before it is written to a file. */
const MEMORY_WAIT_MS = 250;
/** How often, while memory comes free. */
const MOST_MEMORY_WAITS = 8;
/** Memory for the parts of bodies on their way to and from files, beside the bodies in memory. */
const FILE_PARTS_BYTES = 16 * 1024 * 1024;

export class Spool {
  readonly memory: Budget;
  readonly disk: Budget;
  readonly #buffers: BufferPool;
  readonly #openFile: () => number;

  constructor(settings: SpoolSettings) {
    this.memory = new Budget(settings.memoryTotalBytes, MEMORY_WAIT_MS, MOST_MEMORY_WAITS);
    this.disk = new Budget(settings.diskTotalBytes, settings.spoolWaitMs);
    this.#buffers = new BufferPool(settings.memoryTotalBytes + FILE_PARTS_BYTES);
    this.#openFile = () => openNamelessFile(settings.spoolDir);
  }

  /** For the bodies of one exchange: what can never fit beside another of them is refused at once. */
  ofExchange(): ExchangeSpool {
    return new ExchangeSpool(this.memory.account(), this.disk.account(), this.#buffers, this.#openFile);
  }
}

export class ExchangeSpool implements SpoolRoom {
  readonly memory: Account;
  readonly disk: Account;
  readonly buffers: BufferPool;
  readonly openFile: () => number;

  constructor(memory: Account, disk: Account, buffers: BufferPool, openFile: () => number) {
    this.memory = memory;
    this.disk = disk;
    this.buffers = buffers;
    this.openFile = openFile;
  }

  /**
   * @param expectedBytes the body's length where it is announced: room for all of it is then taken at once
   * @param memoryBytes how much of it may stay in memory
   * @param maxBytes the largest body that is accepted
   */
  writer(expectedBytes: number | null, memoryBytes: number, maxBytes: number): SpoolWriter {
    return new SpoolWriter(this, { expectedBytes, memoryBytes, maxBytes });
  }
}
