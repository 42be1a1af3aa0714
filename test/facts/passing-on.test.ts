/** What src/http-proxy takes for granted when it passes a request on through Node's http client. */

import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientRequest, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import { OneSocketAgent, connected } from './one-socket-agent.ts';

const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n';

/** Gives the request a head of its own before Node makes one. */
class HeadAgent extends OneSocketAgent {
  readonly #head: string;

  constructor(socket: Socket, head: string) {
    super(socket);
    this.#head = head;
  }

  override addRequest(outgoing: ClientRequest, options: RequestOptions): void {
    Object.assign(outgoing, { _header: this.#head, chunkedEncoding: this.#head.includes('chunked') });
    super.addRequest(outgoing, options);
  }
}

describe("Node's http client", () => {
  test.each([
    ['GET /a HTTP/1.1\r\nHost: x\r\n7: \xe9\r\nHost: y\r\n1: b\r\n7: c\r\n\r\n', '', ''],
    ['POST /a HTTP/1.1\r\nContent-Length: 2\r\nContent-Disposition: \xe9\r\n\r\n', 'ok', 'ok'],
    ['POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n', 'ok', '2\r\nok\r\n0\r\n\r\n'],
    ['POST /a HTTP/1.1\r\n\r\n', '', ''],
  ])('sends the head that it is given before its own, to the byte: %j', async (head, body, sent) => {
    await using upstream = await Upstream.start(answering(ok('a'), Buffer.byteLength(sent)));
    const agent = new HeadAgent(await connected(upstream.port), head);
    const method = head.split(' ')[0] ?? '';
    const outgoing = request({ method, path: '/ignored', headers: { ignored: 'x' }, agent });
    if (body !== '') outgoing.write(Buffer.from(body));
    outgoing.end();
    const [response] = await once(outgoing, 'response');
    response.resume();
    await once(response, 'end');
    expect(upstream.connections[0]?.received.toString('latin1')).toBe(`${head}${sent}`);
  });

  test('closes the connection of a switch that nobody listens for, and tells nobody', async () => {
    await using upstream = await Upstream.start(answering(SWITCHED));
    const socket = await connected(upstream.port);
    const outgoing = request({ agent: new OneSocketAgent(socket) }).end();
    const told: string[] = [];
    for (const event of ['response', 'error', 'information']) outgoing.on(event, () => told.push(event));
    await once(socket, 'close');
    await turn();
    expect(told).toEqual([]);
  });
});
