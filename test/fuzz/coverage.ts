/** Which branches of src/ have run, so that inputs which reach new ones are kept. */

import { Session } from 'node:inspector/promises';

export class Coverage {
  readonly #session = new Session();
  readonly #reached = new Set<string>();

  static async start(): Promise<Coverage> {
    const coverage = new Coverage();
    coverage.#session.connect();
    await coverage.#session.post('Profiler.enable');
    await coverage.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    return coverage;
  }

  get branches(): number {
    return this.#reached.size;
  }

  /** Whether something ran since the last call that never ran before. */
  async grew(): Promise<boolean> {
    const before = this.#reached.size;
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    for (const { url, functions } of result) {
      const file = /\/src\/(.*)$/.exec(url)?.[1];
      if (file === undefined) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) this.#reached.add(`${file} ${startOffset} ${endOffset}`);
        }
      }
    }
    return this.#reached.size > before;
  }

  stop(): void {
    this.#session.disconnect();
  }
}
