/** Asks a proxy once, as any HTTP client does, and says what the client got. */

import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * `cut`: a 200 whose end the client can see is missing. `hidden cut`: a 200 with a part of the body, ended as if it
 * were the whole. `hung`: neither more nor an end.
 */
export type Outcome = 'whole' | `${number}` | 'cut' | 'hidden cut' | 'hung' | 'no response';

export interface Ask {
  readonly method: 'GET' | 'POST';
  readonly upload: 'none' | 'length' | 'chunked';
  /** The body that a whole response has. */
  readonly expected: Buffer;
  readonly path: string;
  /** Reads at most what has come, then pauses: a client that has other things to do. */
  readonly slow: boolean;
}

/** More than a server's read buffer takes in along with the head. */
const UPLOAD = Buffer.alloc(100_000, 'u');
const FRAMING = {
  none: {},
  length: { 'Content-Length': UPLOAD.length },
  chunked: { 'Transfer-Encoding': 'chunked' },
} as const;
const SILENCE_MS = 8_000;
const SLOW_PAUSE_MS = 2;

export async function askOnce(port: number, ask: Ask): Promise<Outcome> {
  const { method, path, upload } = ask;
  const outgoing = request({ port, host: '127.0.0.1', method, path, headers: FRAMING[upload], agent: false });
  try {
    return await new Promise((resolve) => {
      outgoing.setTimeout(SILENCE_MS, () => resolve('hung'));
      // A reset in the middle of a response is told to the request, too.
      let answered = false;
      outgoing.on('error', () => (answered ? undefined : resolve('no response')));
      outgoing.on('response', (response) => {
        answered = true;
        void outcomeOf(response, ask).then(resolve);
      });
      outgoing.end(upload === 'none' ? undefined : UPLOAD);
    });
  } finally {
    outgoing.on('error', () => undefined).destroy();
  }
}

async function outcomeOf(response: IncomingMessage, { expected, slow }: Ask): Promise<Outcome> {
  const parts: Buffer[] = [];
  const silence = AbortSignal.timeout(SILENCE_MS);
  const hung = new Promise<'hung'>((resolve) => {
    silence.addEventListener('abort', () => resolve('hung'));
  });
  const end = await Promise.race([readAll(response, parts, slow), hung]);
  const status = response.statusCode ?? 0;
  if (status !== 200) return `${status}`;
  if (Buffer.concat(parts).equals(expected)) return 'whole';
  if (end === 'ended') return 'hidden cut';
  return end === 'hung' ? 'hung' : 'cut';
}

async function readAll(
  response: IncomingMessage,
  parts: Buffer[],
  slow: boolean,
): Promise<'ended' | 'broken'> {
  try {
    for await (const part of response) {
      parts.push(Buffer.from(part));
      if (slow) await delay(SLOW_PAUSE_MS);
    }
  } catch {
    return 'broken';
  }
  return response.complete ? 'ended' : 'broken';
}
