/** Asks the admin listener of a proxy, and follows its feed. */

import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestProxy } from './proxy.ts';

export interface AdminReply {
  readonly status: number;
  readonly type: string;
  readonly fields: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function asked(proxy: TestProxy, path: string, asking: Asking): Promise<IncomingMessage> {
  const { method = 'GET', headers = {}, body } = asking;
  return new Promise((resolve, reject) => {
    // The path as it is written: fetch would tidy it.
    const { hostname, port } = new URL(proxy.proxy.adminUrl ?? '');
    const outgoing = request({ hostname, port, path, method, headers, agent: false }, resolve);
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export async function askAdmin(proxy: TestProxy, path: string, asking: Asking = {}): Promise<AdminReply> {
  const reply = await asked(proxy, path, asking);
  const { statusCode: status = 0, headers: fields } = reply;
  return { status, type: fields['content-type'] ?? '', fields, body: await text(reply) };
}

export interface FeedEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: unknown;
}

/** A watcher of /api/events. */
export class FeedReader implements Disposable {
  readonly reply: IncomingMessage;
  readonly events: FeedEvent[] = [];
  #rest = '';
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(reply: IncomingMessage) {
    this.reply = reply;
    reply.setEncoding('utf8').on('data', (bytes: string) => this.#read(bytes));
    const over = (): void => {
      this.#ended = true;
      this.#wake();
    };
    reply.on('end', over).on('error', over).on('close', over);
  }

  static async open(proxy: TestProxy, path = '/api/events', asking: Asking = {}): Promise<FeedReader> {
    return new FeedReader(await asked(proxy, path, asking));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The first event that was not asked for yet and that fits. @throws when the feed ends first */
  async next(event: string, fits: (data: unknown) => boolean = () => true): Promise<FeedEvent> {
    for (;;) {
      const at = this.events.findIndex((one) => one.event === event && fits(one.data));
      const [found] = at < 0 ? [] : this.events.splice(at, 1);
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`the feed ended before ${event}`);
      await this.#change();
    }
  }

  async end(): Promise<void> {
    while (!this.#ended) await this.#change();
  }

  [Symbol.dispose](): void {
    this.reply.destroy();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #read(bytes: string): void {
    const blocks = `${this.#rest}${bytes}`.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = new Map(
        block.split('\n').map((line) => [before(line), line.slice(before(line).length + 2)]),
      );
      const event = lines.get('event');
      if (event === undefined) continue;
      this.events.push({ id: lines.get('id') ?? null, event, data: JSON.parse(lines.get('data') ?? 'null') });
    }
    this.#wake();
  }
}

function before(line: string): string {
  return line.slice(0, line.indexOf(':'));
}
