/** What Node's http client tells of one GET. */

import { Agent, get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { signal, turns } from '../harness/bare.ts';

/** What Node's http client tells of one GET, in order, until the socket is closed. */
interface Told {
  readonly events: readonly string[];
  readonly body: string;
  readonly complete: boolean | null;
  /** The argument of the socket's `close`. */
  readonly hadError: boolean;
}

/** @param onBody called at the first bytes of the body */
export async function tell(url: string, onBody: () => void = () => undefined): Promise<Told> {
  const events: string[] = [];
  const closed = signal<boolean>();
  let body = '';
  let incoming: IncomingMessage | null = null;
  const asked = get(url, { agent: new Agent() }, (response) => {
    incoming = response;
    response.setEncoding('latin1').on('data', (text: string) => {
      body += text;
      onBody();
    });
    for (const name of ['aborted', 'end']) response.on(name, () => events.push(`response ${name}`));
    response.on('error', (error: NodeJS.ErrnoException) => events.push(`response error ${error.code}`));
  });
  asked.on('error', (error: NodeJS.ErrnoException) => events.push(`request error ${error.code}`));
  asked.on('socket', (socket) => socket.on('close', (hadError) => closed.resolve(hadError)));
  const hadError = await closed.promise;
  await turns(2);
  return { events, body, complete: completeOf(incoming), hadError };
}

function completeOf(incoming: IncomingMessage | null): boolean | null {
  return incoming === null ? null : incoming.complete;
}
