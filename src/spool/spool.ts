/** Makes spool writers that share the process-wide budgets and one folder. */

import type { Settings } from '../config/settings.ts';
import type { SpoolRoom } from './body-room.ts';
import { Budget } from './budget.ts';
import type { Account } from './budget.ts';
import { BufferPool } from './buffer-pool.ts';
import { openNamelessFile } from './spool-file.ts';
import { SpoolWriter } from './spool-writer.ts';

type SpoolSettings = Pick<Settings, 'memoryTotalBytes' | 'diskTotalBytes' | 'spoolDir' | 'spoolWaitMs'>;

/** How long a body of known length waits for memory before it goes to a file. */
const MEMORY_WAIT_MS = 250;
/** How many times it may wait that long, while memory comes free. */
const MOST_MEMORY_WAITS = 8;
/** Memory for writing and reading files, in addition to the bodies in memory. */
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

  /** For the bodies of one exchange, which share accounts: a response that can never fit next to its request is refused at once. */
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
   * @param expectedBytes the body's announced length, all of which is reserved at once; null: unknown
   * @param memoryBytes how much of it may stay in memory
   * @param maxBytes the largest body that is accepted
   */
  writer(expectedBytes: number | null, memoryBytes: number, maxBytes: number): SpoolWriter {
    return new SpoolWriter(this, { expectedBytes, memoryBytes, maxBytes });
  }
}
