/** The log: winston's levels and transport, lines of our own. It never fails an exchange, whatever becomes of its stream. */

import { once } from 'node:events';
import { Writable } from 'node:stream';
import { createLogger, format, transports } from 'winston';
import type { Logger } from 'winston';
import type { AccessLogFormat, LogLevel } from '../config/settings.ts';
import type { ExchangeRecord } from '../exchange/events.ts';
import { bannerBlock, bannerJson, bannerSentence } from './banner.ts';
import type { Banner } from './banner.ts';
import { combinedLine, exchangeLevel, jsonLine, prettyLine } from './exchange-line.ts';
import { jsonMessage, plainMessage } from './message-line.ts';
import type { LogFields, Message } from './message-line.ts';

export interface LogOptions {
  /** Entries below it are left out. */
  readonly level: LogLevel;
  /** `auto`: `pretty` if the stream is a terminal, else `json`. */
  readonly format: AccessLogFormat;
  /** Where the lines go; it is never ended, because it may be the process's own output. */
  readonly stream: NodeJS.WritableStream;
  readonly color: boolean;
  /** Only warnings and errors, and no banner. */
  readonly quiet: boolean;
}

export interface Log {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** What the log begins with, whatever its level; not when it is quiet. */
  banner(banner: Banner): void;
  /** The one line of an exchange that is over. */
  exchange(record: ExchangeRecord): void;
  /** Resolves when all lines are with the system; what is logged later is dropped. */
  close(): Promise<void>;
}

/** Smaller is graver, as winston wants it. */
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
  const output = new LineOutput(stream, quiet && RANKS[options.level] > RANKS.warn ? 'warn' : options.level);
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
      const level = exchangeLevel(record);
      if (style.exchange !== null && output.wants(level)) output.write(style.exchange(record, color));
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

/** Writes finished lines through winston, and outlives its stream. */
class LineOutput {
  readonly #stream: NodeJS.WritableStream;
  readonly #level: LogLevel;
  readonly #lines: string[] = [];
  readonly #logger: Logger;
  readonly #onError: (error: NodeJS.ErrnoException) => void;
  /** No more lines: closed, or nobody is there to read them. */
  #over = false;
  #closed: Promise<void> | null = null;

  constructor(stream: NodeJS.WritableStream, level: LogLevel) {
    this.#stream = stream;
    this.#level = level;
    this.#logger = createLogger({
      level,
      levels: RANKS,
      // The line is finished: winston's formats would copy and serialize each entry again.
      format: format.printf(({ message }) => String(message)),
      transports: [new transports.Stream({ stream: careful(stream), eol: '\n' })],
    });
    // `lastbyte | head`: a reader that leaves is no reason to stop the proxy.
    this.#onError = (error) => {
      if (!PASSING.has(error.code ?? '')) this.#over = true;
    };
    stream.on('error', this.#onError);
  }

  wants(level: LogLevel): boolean {
    return !this.#over && RANKS[level] <= RANKS[this.#level];
  }

  /** The lines of one turn of the event loop are one entry: each costs winston's way, and a write that blocks the process. */
  write(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length === 1) setImmediate(() => this.#flush());
  }

  close(): Promise<void> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  #flush(): void {
    const text = this.#lines.splice(0).join('\n');
    // What is not wanted at this level was left out before.
    if (text !== '') this.#logger.log(this.#level, text);
  }

  async #finish(): Promise<void> {
    this.#flush();
    const broken = this.#over;
    this.#over = true;
    const finished = once(this.#logger, 'finish');
    this.#logger.end();
    await finished;
    // A stream that failed may report more errors later: then the listener stays.
    if (!broken && (await flushed(this.#stream))) this.#stream.off('error', this.#onError);
  }
}

/**
 * Stands between winston and the stream. Node's stream for a file on stdout writes at once and may throw; winston's
 * transport would stay in the middle of that write for ever, and keep every later line in memory. Here the lines are lost.
 */
function careful(stream: NodeJS.WritableStream): Writable {
  return new Writable({
    decodeStrings: false,
    write: (lines: string, _encoding, done) => {
      try {
        stream.write(lines);
      } catch {
        // Lost, as said above: there is no other place to complain to.
      }
      done();
    },
  });
}

/** Errors after which the same stream may work again: no room for the moment. */
const PASSING: ReadonlySet<string> = new Set(['EAGAIN', 'ENOSPC']);

/** Writes are done in order, so when this empty one is done all are. False: the stream failed first. */
function flushed(stream: NodeJS.WritableStream): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (whole: boolean): void => {
      stream.off('close', onClose);
      resolve(whole);
    };
    // A stream that is destroyed meanwhile need not call back.
    const onClose = (): void => settle(false);
    stream.once('close', onClose);
    stream.write('', (error) => settle(!error));
  });
}
