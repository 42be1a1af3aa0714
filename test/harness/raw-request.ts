/** Raw bytes of a client against a proxy of their own: what came back, and every byte that reached the upstream. */

import { expect } from 'vitest';
import { Client, valueOf } from './client.ts';
import { TestProxy } from './proxy.ts';
import { Upstream, ok } from './upstream.ts';
import type { UpstreamConnection } from './upstream.ts';
import type { ProxyOptions } from '../../src/index.ts';

export interface RawOutcome {
  /** Of all responses, in order. */
  readonly statuses: readonly number[];
  /** The bodies of all responses, latin1. */
  readonly bodies: readonly string[];
  /** All that reached the upstream, connection by connection, latin1. */
  readonly reached: string;
  readonly clientPort: number;
  readonly proxyPort: number;
  readonly upstreamPort: number;
  /** How the proxy ended the client's connection. */
  readonly ended: 'fin' | 'reset';
}

export interface RawWay {
  /** The client closes its side at once, not only after the first response. */
  readonly closesAtOnce?: boolean;
  readonly options?: ProxyOptions;
  /** Whether what is sent first is a HEAD. */
  readonly method?: string;
}

/** Sends the bytes, reads until the proxy's FIN, and looks at the upstream when nothing more can reach it. */
export async function sendRaw(bytes: string, way: RawWay = {}): Promise<RawOutcome> {
  await using upstream = await Upstream.start(readAndAnswer);
  const proxy = await TestProxy.start(upstream.url, { withholdBody: 'off', ...way.options });
  using client = await Client.connect(proxy.port);
  const statuses: number[] = [];
  const bodies: string[] = [];
  const take = async (method: string): Promise<void> => {
    const response = await client.response(method);
    statuses.push(response.status);
    bodies.push(response.body.toString('latin1'));
  };
  const ports = {
    clientPort: client.socket.localPort ?? 0,
    proxyPort: proxy.port,
    upstreamPort: upstream.port,
  };
  await client.send(bytes);
  if (way.closesAtOnce === true) client.halfClose();
  await take(way.method ?? 'GET');
  client.halfClose();
  const ended = await client.end();
  while (client.left.length > 0) await take('GET');
  await proxy[Symbol.asyncDispose]();
  await Promise.all(upstream.connections.map((connection) => connection.peerEnd()));
  const reached = upstream.connections.map(({ received }) => received.toString('latin1')).join('');
  return { statuses, bodies, reached, ended, ...ports };
}

/** An upstream that reads the body by its Content-Length, and trusts every request head. */
async function readAndAnswer(connection: UpstreamConnection): Promise<void> {
  for (;;) {
    const request = await connection.request();
    if (request === null) break;
    const length = Number(valueOf(request.fields, 'content-length') ?? '0');
    if ((await connection.body(length)) === null) break;
    await connection.send(
      request.method === 'HEAD' ? ok('').replace('Content-Length: 0', 'Content-Length: 4') : ok('fine'),
    );
  }
  connection.fin();
}

/**
 * The bytes of a template in which `<ours x>` stands for what this hop adds for the Host x, `<ours x 1.0>` for the same
 * after a request of HTTP/1.0, and `<upstream>` for the upstream's own name.
 */
export function expanded(
  template: string,
  { reached, clientPort, proxyPort, upstreamPort }: RawOutcome,
): string {
  const via = /lastbyte-[0-9a-f]{8}/.exec(reached)?.[0] ?? '';
  return template
    .replaceAll('<upstream>', `127.0.0.1:${upstreamPort}`)
    .replaceAll(/<ours ?([^ >]*) ?(1\.0)?>/g, (_all, host: string, version: string | undefined) =>
      [
        'X-Forwarded-For: 127.0.0.1',
        'X-Forwarded-Proto: http',
        ...(host === '' ? [] : [`X-Forwarded-Host: ${host}`]),
        `X-Forwarded-Port: ${proxyPort}`,
        'X-Real-IP: 127.0.0.1',
        `Forwarded: for="127.0.0.1:${clientPort}"${host === '' ? '' : `;host=${forwardedHost(host)}`};proto=http`,
        `Via: ${version ?? '1.1'} ${via}`,
        'Connection: keep-alive\r\n',
      ].join('\r\n'),
    );
}

/** A host with a port, or an address of IPv6, is no token and stands in quotes (RFC 7239 section 6). */
function forwardedHost(host: string): string {
  return /[:[\]]/.test(host) ? `"${host}"` : host;
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';

/** The bytes are answered with `status` alone, in words, and neither they nor a request after them reach the upstream. */
export async function expectRefused(bytes: string, status = 400, way: RawWay = {}): Promise<RawOutcome> {
  const outcome = await sendRaw(bytes + SMUGGLED, way);
  const { statuses, reached, ended, bodies } = outcome;
  expect({ statuses, reached, ended }).toEqual({ statuses: [status], reached: '', ended: 'fin' });
  expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ status });
  return outcome;
}

/** The bytes are answered with 200, and exactly those of `upstream`, a template, reach the upstream. */
export async function expectPassed(bytes: string, upstream: string): Promise<void> {
  const outcome = await sendRaw(bytes);
  expect(outcome.reached).toBe(expanded(upstream, outcome));
  expect([outcome.statuses, outcome.ended]).toEqual([[200], 'fin']);
}
