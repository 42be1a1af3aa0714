/** A thread of the soak that gives one reply to every message, in order. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export class Thread<Ask, Reply> implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #failed: Promise<never>;

  /** @param file module beside this one */
  constructor(file: string) {
    this.#worker = new Worker(new URL(file, import.meta.url), { execArgv: ['--import', 'jiti/register'] });
    this.#failed = once(this.#worker, 'error').then(([cause]) => {
      throw new Error(`${file} failed`, { cause });
    });
    this.#failed.catch(() => undefined);
  }

  /** @throws when the thread has failed */
  async ask(message: Ask): Promise<Reply> {
    const replied = new Promise<Reply>((resolve) => {
      this.#worker.once('message', (reply: Reply) => resolve(reply));
    });
    this.#worker.postMessage(message);
    return await Promise.race([replied, this.#failed]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
