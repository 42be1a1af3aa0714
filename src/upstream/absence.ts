/** Notices when the upstream takes no connections, and says so once for each such time: when the first request begins to wait. */

import type { ConnectResult } from './connection.ts';

/** An upstream that takes no connections. */
export interface Absent {
  /** The system's code, or what each address said where there are several. */
  readonly reason: string;
  readonly errorCode: string;
  /** Usual ports of dev servers that answer on this machine; known a moment later. */
  readonly answering: readonly number[];
}

export interface AbsenceOptions {
  /** Which other ports answer: asked only before the upstream was ever there, since later it is away for a restart. */
  readonly answeringPorts: () => Promise<readonly number[]>;
  /** Told when the first request begins to wait. */
  readonly waiting: (absent: Absent) => void;
}

export class Absence {
  readonly #options: AbsenceOptions;
  #wasThere = false;
  #absent: Absent | null = null;
  /** Settles when the other ports are known. */
  #known: Promise<void> = Promise.resolve();
  #told = false;

  constructor(options: AbsenceOptions) {
    this.#options = options;
  }

  /** Usual ports of dev servers that answer instead. */
  get answering(): readonly number[] {
    return this.#absent?.answering ?? [];
  }

  /** Each attempt to connect tells what came of it. */
  met(result: ConnectResult): void {
    if (result.kind === 'connected') {
      this.#wasThere = true;
      this.#absent = null;
      this.#told = false;
    } else if (this.#absent === null) {
      this.#absent = {
        reason: result.detail ?? result.errorCode,
        errorCode: result.errorCode,
        answering: [],
      };
      this.#known = this.#wasThere ? Promise.resolve() : this.#look(this.#absent);
    }
  }

  waitBegins(): void {
    if (this.#told || this.#absent === null) return;
    this.#told = true;
    void this.#known.then(() => {
      if (this.#absent !== null) this.#options.waiting(this.#absent);
    });
  }

  async #look(absent: Absent): Promise<void> {
    const answering = await this.#options.answeringPorts();
    if (this.#absent === absent) this.#absent = { ...absent, answering };
  }
}
