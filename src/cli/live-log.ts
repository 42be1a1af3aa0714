/** A log whose level and format can be changed by a reload. */

import { createLog, type Log } from '../observe/log.ts';
import type { Settings } from '../config/settings.ts';
import type { Output } from './streams.ts';

type LogSettings = Pick<Settings, 'logLevel' | 'accessLog'>;

export class LiveLog {
  readonly #stream: Output;
  readonly #color: boolean;
  readonly #closing: Promise<void>[] = [];
  #settings: LogSettings;
  #log: Log;

  constructor(settings: LogSettings, stream: Output, color: boolean) {
    this.#settings = settings;
    this.#stream = stream;
    this.#color = color;
    this.#log = this.#open();
  }

  get log(): Log {
    return this.#log;
  }

  reconfigure(settings: LogSettings): void {
    const { logLevel, accessLog } = this.#settings;
    if (logLevel === settings.logLevel && accessLog === settings.accessLog) return;
    this.#settings = settings;
    this.#closing.push(this.#log.close());
    this.#log = this.#open();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#closing, this.#log.close()]);
  }

  #open(): Log {
    const { logLevel: level, accessLog: format } = this.#settings;
    return createLog({ level, format, stream: this.#stream, color: this.#color });
  }
}
