/** A log whose level and format can be changed by a reload. */

import { createLog, type Log } from '../observe/log.ts';
import type { Settings } from '../config/settings.ts';
import type { Output } from './streams.ts';

type LogSettings = Pick<Settings, 'logLevel' | 'accessLog' | 'quiet'>;

export class LiveLog {
  readonly #stream: Output;
  readonly #color: boolean;
  readonly #prefix: string;
  readonly #closing: Promise<boolean>[] = [];
  #settings: LogSettings;
  #log: Log;

  /** @param prefix before each line that is for people */
  constructor(settings: LogSettings, stream: Output, color: boolean, prefix: string) {
    this.#settings = settings;
    this.#stream = stream;
    this.#color = color;
    this.#prefix = prefix;
    this.#log = this.#open();
  }

  get log(): Log {
    return this.#log;
  }

  reconfigure(settings: LogSettings): void {
    const { logLevel, accessLog, quiet } = this.#settings;
    const { logLevel: level, accessLog: format } = settings;
    if (logLevel === level && accessLog === format && quiet === settings.quiet) return;
    this.#settings = settings;
    this.#closing.push(this.#log.close());
    this.#log = this.#open();
  }

  /** False: something is left that nobody reads. */
  async close(): Promise<boolean> {
    const closed = await Promise.all([...this.#closing, this.#log.close()]);
    return closed.every((whole) => whole);
  }

  #open(): Log {
    const { logLevel: level, accessLog: format, quiet } = this.#settings;
    return createLog({
      level,
      format,
      quiet,
      stream: this.#stream,
      color: this.#color,
      prefix: this.#prefix,
    });
  }
}
