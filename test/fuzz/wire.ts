/** Any bytes from a client, or from an upstream, for a proxy with real sockets: what must hold whatever they are. */

import { strict as assert } from 'node:assert';
import type { ProxyOptions } from '../../src/index.ts';
import { Client, valueOf } from '../harness/client.ts';
import type { RawResponse } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';
import { plainRequests, plainResponse } from './plain-reading.ts';
import type { PlainRequest } from './plain-reading.ts';

/** What one side sends, and how it ends its side. */
export interface WireInput {
  readonly side: 'client' | 'upstream';
  /** Whether it is relayed as it comes, through http-proxy and Node's client. */
  readonly streams: boolean;
  readonly text: string;
  readonly cuts: readonly number[];
  readonly method: 'GET' | 'HEAD';
  readonly ending: 'fin' | 'rst' | 'stay';
}

const DEADLINE_MS = 5000;
const ANSWER_TO_ANY = ok('fine');

const OPTIONS: ProxyOptions = {
  retries: 0,
  maxIdleConnections: 0,
  withholdBody: 'off',
  firstByteTimeout: 60,
  bodyIdleTimeout: 60,
  clientSendTimeout: 1000,
  lingerTimeout: 10,
  lingerTotal: 500,
};

/** A proxy and its upstream for one input at a time; a fresh connection toward the upstream for each request. */
export class WireLane implements AsyncDisposable {
  readonly #upstream: Upstream;
  readonly #proxy: TestProxy;
  readonly #streaming: TestProxy;
  readonly #plan: { input: WireInput | null };

  private constructor(
    upstream: Upstream,
    [proxy, streaming]: readonly [TestProxy, TestProxy],
    plan: { input: WireInput | null },
  ) {
    this.#upstream = upstream;
    this.#proxy = proxy;
    this.#streaming = streaming;
    this.#plan = plan;
  }

  static async open(): Promise<WireLane> {
    const plan: { input: WireInput | null } = { input: null };
    const upstream = await Upstream.start((connection) => play(connection, plan.input));
    const proxies = [
      await TestProxy.start(upstream.url, OPTIONS),
      await TestProxy.start(upstream.url, { ...OPTIONS, stream: ['/'] }),
    ] as const;
    return new WireLane(upstream, proxies, plan);
  }

  /** @throws what is wrong */
  async try(input: WireInput): Promise<void> {
    this.#plan.input = input;
    this.#upstream.connections.length = 0;
    using client = await Client.connect((input.streams ? this.#streaming : this.#proxy).port);
    const port = client.socket.localPort ?? 0;
    const text =
      input.side === 'client'
        ? input.text
        : `${input.method} /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    for (const packet of packetsAt(text, input.side === 'client' ? input.cuts : [])) {
      client.socket.write(packet, 'latin1');
      await turn();
    }
    if (input.side === 'client' && input.ending === 'rst') client.socket.resetAndDestroy();
    else if (input.side === 'client') client.halfClose();
    if (!client.socket.destroyed) await within(client.end(), 'the client gets no end');
    for (const { socket } of this.#upstream.connections) {
      if (!socket.destroyed) await within(closed(socket), 'an upstream connection stays open');
    }
    if (input.side === 'upstream') {
      if (input.streams) checkRelayed(client, input);
      else await checkResponse(client, input);
      return;
    }
    this.#checkRequests(input, port);
    // Which answer is the one to a HEAD, nobody knows here.
    if (input.ending !== 'rst' && !input.streams && !input.text.includes('HEAD')) await checkAnswers(client);
  }

  /** One connection, one request: and it is one that the client sent, whole and in order. */
  #checkRequests({ text, streams }: WireInput, port: number): void {
    const sent = plainRequests(text);
    let next = 0;
    for (const { received } of this.#upstream.connections) {
      const bytes = received.toString('latin1');
      // The rest is of a client before this one, which has reset its connection.
      if (!bytes.includes(`for="127.0.0.1:${port}"`)) continue;
      const [request, second] = plainRequests(bytes);
      // What is relayed as it comes may be cut, as long as that can be seen.
      if (streams && request === undefined) continue;
      assert.ok(request !== undefined && second === undefined, `no single request: ${JSON.stringify(bytes)}`);
      assert.match(bytes, STRICT, `not strict: ${JSON.stringify(bytes)}`);
      assert.equal(bytes.length, request.end, `bytes after it: ${JSON.stringify(bytes)}`);
      const found = sent.findIndex((one, index) => index >= next && isSame(one, request));
      assert.ok(found >= 0, `never sent: ${JSON.stringify(bytes)}`);
      next = found + 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await within(this.#proxy[Symbol.asyncDispose](), 'the proxy does not close');
    await within(this.#streaming[Symbol.asyncDispose](), 'the streaming proxy does not close');
    await this.#upstream[Symbol.asyncDispose]();
  }
}

const STRICT =
  /^[A-Z-]+ (?:\/[\x21-\xff]*|\*) HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~\dA-Za-z]+: ?[\t\x20-\x7e\x80-\xff]*\r\n)+\r\n/;

/** An absolute target without a path means the root, or for OPTIONS the whole server (RFC 9112 section 3.2). */
function isSame(sent: PlainRequest, seen: PlainRequest): boolean {
  const empty = sent.method === 'OPTIONS' ? '*' : '/';
  const target = sent.target === '' ? empty : sent.target.replace(/^\?/, '/?');
  return sent.method === seen.method && target === seen.target && sent.body === seen.body;
}

/** Each response has one exact length, and nothing is left. */
async function checkAnswers(client: Client): Promise<void> {
  while (client.left.length > 0) await client.response();
}

/** Whatever the client got that is not a refusal of our own is what the upstream sent, and whole. */
async function checkResponse(client: Client, input: WireInput): Promise<void> {
  let final: RawResponse | null = null;
  while (client.left.length > 0) {
    assert.ok(final === null, `bytes after the response: ${JSON.stringify(client.left.toString('latin1'))}`);
    const response = await client.response(input.method);
    if (response.status >= 200) final = response;
  }
  assert.ok(final !== null, 'no response');
  if (valueOf(final.fields, 'proxy-status')?.startsWith('lastbyte; error=') === true) return;
  const plain = plainResponse(input.text, input.method, input.ending === 'fin');
  assert.deepEqual({ status: final.status, body: final.body.toString('latin1') }, plain, 'not what was sent');
}

/** What the client can take for whole is whole. A cut that it can see is none of our own. */
function checkRelayed(client: Client, input: WireInput): void {
  const got = client.left.toString('latin1');
  if (/\r\nProxy-Status: lastbyte; error=/.test(got)) return;
  const read = plainResponse(got, input.method, client.ended === 'fin');
  if (read === null) return;
  // Node's client, which reads what is relayed, passes over empty lines before the status line.
  const text = input.text.replace(/^(\r?\n)+/, '');
  assert.deepEqual(read, plainResponse(text, input.method, input.ending === 'fin'), 'not what was sent');
}

/** The upstream's part: what is planned, or a plain answer to each request. */
async function play(connection: UpstreamConnection, input: WireInput | null): Promise<void> {
  const request = await connection.request();
  if (request === null) return connection.fin();
  if (input?.side !== 'upstream') {
    const length = Number(valueOf(request.fields, 'content-length') ?? 0);
    let came = await connection.body(length);
    while (came !== null && plainRequests(connection.received.toString('latin1')).length === 0) {
      came = await connection.body(1);
    }
    if (came !== null) await connection.send(request.method === 'HEAD' ? ok('') : ANSWER_TO_ANY);
    return connection.fin();
  }
  for (const packet of packetsAt(input.text, input.cuts)) {
    connection.socket.write(packet, 'latin1');
    await turn();
  }
  if (input.ending === 'rst') connection.reset();
  else if (input.ending === 'fin') connection.fin();
  else await connection.peerEnd().then(() => connection.fin());
}

function packetsAt(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...places.filter((place) => place > 0), text.length];
  return edges
    .slice(1)
    .map((edge, index) => text.slice(edges[index], edge))
    .filter((packet) => packet !== '');
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function closed(socket: { once(event: 'close', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

async function within<T>(work: Promise<T>, complaint: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} within ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
