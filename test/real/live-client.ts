/** A client of an event stream that asks for each event before it comes, and sees how the stream ends. */

import http from 'node:http';
import { once } from 'node:events';

export class EventReader {
  readonly #request: http.ClientRequest;
  #received = '';
  #end: 'whole' | 'cut' | null = null;
  #wake: () => void = () => undefined;

  private constructor(request: http.ClientRequest, response: http.IncomingMessage) {
    this.#request = request;
    response.setEncoding('utf8').on('data', (part: string) => {
      this.#received += part;
      this.#wake();
    });
    const ended = (end: 'whole' | 'cut'): void => {
      this.#end ??= end;
      this.#wake();
    };
    response.on('error', () => ended('cut')).on('end', () => ended('whole'));
  }

  /** Resolves with the head of the stream. */
  static async open(url: string): Promise<EventReader> {
    const request = http.get(url, { agent: false });
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      request.once('response', resolve).once('error', reject);
    });
    request.on('error', () => undefined);
    return new EventReader(request, response);
  }

  /** All that has come, once it ends with this. */
  async until(text: string): Promise<string> {
    while (!this.#received.endsWith(text)) {
      if (this.#end !== null) throw new Error(`${this.#end} after ${this.#received}`);
      await this.#change();
    }
    return this.#received;
  }

  /** Resolves when the stream is over, with how. */
  async end(): Promise<'whole' | 'cut'> {
    while (this.#end === null) await this.#change();
    return this.#end;
  }

  async leave(): Promise<void> {
    const closed = once(this.#request, 'close');
    this.#request.destroy();
    await closed;
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** Asks the server itself, past lastbyte, and resolves with the status of its response. */
export async function ask(url: string): Promise<number> {
  const response = await fetch(url, { headers: { Connection: 'close' } });
  await response.arrayBuffer();
  return response.status;
}
