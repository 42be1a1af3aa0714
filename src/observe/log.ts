/** The log: winston's levels and transport, our own lines. It never fails an exchange, whatever happens to its stream. */

import { once } from 'node:events';
import { Writable } from 'node:stream';
import { createLogger, format, transports } from 'winston';
import type { Logger } from 'winston';
import type { AccessLogFormat, LogLevel } from '../config/settings.ts';
import type { ExchangeRecord } from '../exchange/events.ts';
import {
  bannerBlock,
  bannerJson,
  bannerSentence,
  combinedLine,
  exchangeLevel,
  jsonLine,
  jsonMessage,
  plainMessage,
  prettyLine,
} from './log-lines.ts';
import type { Banner, LogFields, Message } from './log-lines.ts';

export interface LogOptions {
  /** Entries below it are omitted. */
  readonly level: LogLevel;
  /** `auto`: `pretty` if the stream is a terminal, else `json`. */
  readonly format: AccessLogFormat;
  /** Where the lines go; it is never ended, because it may be the process's own output. */
  readonly stream: NodeJS.WritableStream;
  readonly color: boolean;
  /** Only warnings and errors, and no banner. */
  readonly quiet: boolean;
  /** Before each line of the pretty format, where others write to the same terminal. */
  readonly prefix?: string;
}

export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** The first lines of the log, regardless of its level, unless it is quiet. */
  banner(banner: Banner): void;
  /** The line of a finished exchange. */
  exchange(record: ExchangeRecord): void;
  /**
   * Resolves with true when the system has all lines; later ones are dropped. False: some lines are left, and nobody has read
   * any for a while.
   */
  close(): Promise<boolean>;
}

/** Winston's order: the most severe is 0. */
const RANKS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

interface Style {
  readonly banner: (banner: Banner, at: number) => string;
  readonly message: (message: Message, color: boolean) => string;
  /** Null: exchanges are not logged. */
  readonly exchange: ((record: ExchangeRecord, color: boolean) => string) | null;
}

const STYLES: Readonly<Record<Exclude<AccessLogFormat, 'auto'>, Style>> = {
  pretty: { banner: plainBanner, message: plainMessage, exchange: prettyLine },
  json: { banner: bannerJson, message: jsonMessage, exchange: jsonLine },
  combined: { banner: plainBanner, message: plainMessage, exchange: combinedLine },
  off: { banner: plainBanner, message: plainMessage, exchange: null },
};

export function createLog(options: LogOptions): Log {
  const { stream, color, quiet } = options;
  const form = options.format === 'auto' ? formatFor(stream) : options.format;
  const style = STYLES[form];
  const lossLine = (entries: number): string => {
    const text = `the log was not read: ${entries} ${entries === 1 ? 'entry is' : 'entries are'} missing here`;
    return style.message({ at: Date.now(), level: 'warn', text, fields: { dropped: entries } }, color);
  };
  const lowest = quiet && RANKS[options.level] > RANKS.warn ? 'warn' : options.level;
  const output = new LineOutput(stream, lowest, lossLine, form === 'pretty' ? (options.prefix ?? '') : '');
  const say = (level: LogLevel, text: string, fields: LogFields = {}): void => {
    if (!output.wants(level)) return;
    output.write(style.message({ at: Date.now(), level, text, fields }, color));
  };
  return {
    error: (message, fields) => say('error', message, fields),
    warn: (message, fields) => say('warn', message, fields),
    info: (message, fields) => say('info', message, fields),
    debug: (message, fields) => say('debug', message, fields),
    banner: (banner) => {
      if (quiet) return;
      const block = form === 'pretty' && isTerminal(stream);
      output.write(block ? bannerBlock(banner, color) : style.banner(banner, Date.now()));
    },
    exchange: (record) => {
      if (style.exchange !== null && output.wants(exchangeLevel(record)))
        output.write(style.exchange(record, color));
    },
    close: () => output.close(),
  };
}

function formatFor(stream: NodeJS.WritableStream): 'pretty' | 'json' {
  return isTerminal(stream) ? 'pretty' : 'json';
}

function isTerminal(stream: NodeJS.WritableStream): boolean {
  return 'isTTY' in stream && stream.isTTY === true;
}

function plainBanner(banner: Banner, at: number): string {
  return plainMessage({ at, level: 'info', text: bannerSentence(banner), fields: {} }, false);
}

/** Writes finished lines through winston, and survives errors of its stream. */
class LineOutput {
  readonly #level: LogLevel;
  readonly #stream: LogStream;
  /** The line that reports how many entries were dropped. */
  readonly #lossLine: (entries: number) => string;
  readonly #prefix: string;
  readonly #lines: string[] = [];
  readonly #logger: Logger;
  #closed: Promise<boolean> | null = null;
  #dropped = 0;

  constructor(
    stream: NodeJS.WritableStream,
    level: LogLevel,
    lossLine: (entries: number) => string,
    prefix: string,
  ) {
    this.#level = level;
    this.#prefix = prefix;
    this.#lossLine = lossLine;
    this.#stream = new LogStream(stream, () => this.#reportDropped());
    this.#logger = createLogger({
      level,
      levels: RANKS,
      // The line is complete: winston's own formats would copy and serialize each entry again.
      format: format.printf(({ message }) => String(message)),
      transports: [new transports.Stream({ stream: this.#stream.writable, eol: '\n' })],
    });
  }

  wants(level: LogLevel): boolean {
    if (this.#closed !== null || this.#stream.broken || RANKS[level] > RANKS[this.#level]) return false;
    if (!this.#stream.full) return true;
    this.#dropped += 1;
    return false;
  }

  /** The lines of one event loop turn are one entry, because each entry costs winston's work and a blocking write. */
  write(line: string): void {
    this.#lines.push(this.#prefix === '' ? line : line.replaceAll(/^(?=.)/gm, this.#prefix));
    if (this.#lines.length === 1) setImmediate(() => this.#flush());
  }

  /** False: not everything could be written. */
  close(): Promise<boolean> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  /** Logs how many entries are missing, at their place. */
  #reportDropped(): void {
    if (this.#dropped === 0 || this.#closed !== null) return;
    const line = this.#lossLine(this.#dropped);
    this.#dropped = 0;
    this.write(line);
  }

  #flush(): void {
    const text = this.#lines.splice(0).join('\n');
    // Lines below the level were omitted before.
    if (text !== '') this.#logger.log(this.#level, text);
  }

  async #finish(): Promise<boolean> {
    this.#reportDropped();
    this.#flush();
    const finished = once(this.#logger, 'finish');
    this.#logger.end();
    await finished;
    return await this.#stream.end();
  }
}

/** Unread lines, about 3,000 entries: enough for a reader that pauses, and a limit for one that never reads. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** When the log closes, a reader that reads nothing for this long is not waited for. */
const PATIENCE_MS = 3000;

/** Errors after which the stream may work again: there is no room at the moment. */
const PASSING: ReadonlySet<string> = new Set(['EAGAIN', 'ENOSPC']);

export class LogStream {
  readonly #stream: NodeJS.WritableStream;
  readonly #onRoom: () => void;
  readonly #onError: (error: NodeJS.ErrnoException) => void;
  #waitingBytes = 0;
  #full = false;
  /** Nothing more can be written: the reader is gone. */
  broken = false;
  #progress: (() => void) | null = null;

  /** @param onRoom called when a full stream takes lines again */
  constructor(stream: NodeJS.WritableStream, onRoom: () => void) {
    this.#stream = stream;
    this.#onRoom = onRoom;
    // `lastbyte | head`: the proxy continues when the reader leaves.
    this.#onError = (error) => {
      if (!PASSING.has(error.code ?? '')) this.broken = true;
    };
    stream.on('error', this.#onError);
  }

  /** Too much is unread. Lines are dropped until half of it has been read. */
  get full(): boolean {
    return this.#full;
  }

  /**
   * What winston writes to. When stdout is a file, Node writes synchronously and may throw. Winston's transport would then stay
   * in that write forever, and keep every later line in memory. Here, only these lines are lost.
   */
  readonly writable: Writable = new Writable({
    decodeStrings: false,
    write: (lines: string, _encoding, done) => {
      try {
        this.#write(lines);
      } catch {
        // Lost, as explained above; there is nowhere to report it.
      }
      done();
    },
  });

  /** Resolves when the system has everything, or takes nothing more. False: some of it is left. */
  async end(): Promise<boolean> {
    // A broken stream may emit more errors later, so the listener stays.
    const flushed = !this.broken && (await this.#flushed());
    if (flushed) this.#stream.off('error', this.#onError);
    return flushed || this.broken;
  }

  #write(lines: string): void {
    const bytes = Buffer.byteLength(lines);
    this.#waitingBytes += bytes;
    const taken = (): void => {
      this.#waitingBytes -= bytes;
      this.#progress?.();
      if (!this.#full || this.#waitingBytes > MAX_WAITING_BYTES / 2) return;
      this.#full = false;
      this.#onRoom();
    };
    try {
      this.#stream.write(lines, taken);
    } catch (error) {
      this.#waitingBytes -= bytes;
      throw error;
    }
    if (this.#waitingBytes > MAX_WAITING_BYTES) this.#full = true;
  }

  /** Writes finish in order, so when this empty one has, all have. False: the stream failed, or nobody reads it. */
  #flushed(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (whole: boolean): void => {
        clearTimeout(patience);
        this.#progress = null;
        this.#stream.off('close', onClose);
        resolve(whole);
      };
      const patience = setTimeout(() => settle(false), PATIENCE_MS);
      this.#progress = () => patience.refresh();
      // A stream that is destroyed may never call back.
      const onClose = (): void => settle(false);
      this.#stream.once('close', onClose);
      this.#stream.write('', (error) => settle(!error));
    });
  }
}
