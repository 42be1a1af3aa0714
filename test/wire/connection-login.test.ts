/** NTLM and Negotiate log a connection in and not a request (RFC 4559 section 6): the login must stay with the client that made it. */

import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import type { RawResponse } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { connectionsRested } from '../harness/rest.ts';
import { Upstream, ok } from '../harness/upstream.ts';

/** Logs a connection in with the three messages of NTLM, as IIS does: the first two are answered 401. */
async function startNtlm(scheme = 'NTLM'): Promise<Upstream> {
  const demand = (token: string): string =>
    `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${scheme}${token}\r\nContent-Length: 0\r\n\r\n`;
  return await Upstream.start(async (connection, index) => {
    let user: string | null = null;
    let isChallenged = false;
    for (;;) {
      const request = await connection.request();
      if (request === null) return connection.fin();
      const body = await connection.body(Number(valueOf(request.fields, 'content-length') ?? 0));
      const [, message] = (valueOf(request.fields, 'authorization') ?? '').split(' ');
      if (message?.startsWith('login-') === true && isChallenged) user = message.slice('login-'.length);
      const isHello = message === 'hello';
      isChallenged = isHello;
      if (user !== null) await connection.send(ok(`${user} ${body?.toString() ?? ''} on ${index}`));
      else await connection.send(demand(isHello ? ' challenge' : ''));
    }
  });
}

const get = (authorization: string): string => `GET /a HTTP/1.1\r\nHost: x\r\n${authorization}\r\n`;
const post = (body: string, authorization = ''): string =>
  `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n${authorization}\r\n${body}`;
const said = ({ status, body }: RawResponse): string => `${status} ${body.toString()}`;

async function ask(client: Client, request: string): Promise<string> {
  await client.send(request);
  return said(await client.response());
}

describe.each(['NTLM', 'Negotiate'])('a connection on which %s', (scheme) => {
  const hello = `Authorization: ${scheme} hello\r\n`;
  const login = (user: string): string => `Authorization: ${scheme} login-${user}\r\n`;

  test('logged a client in serves that client alone, for as long as it stays', async () => {
    await using upstream = await startNtlm(scheme);
    await using proxy = await TestProxy.start(upstream.url);
    using alice = await Client.connect(proxy.port);
    using bob = await Client.connect(proxy.port);
    expect(await ask(alice, get(''))).toBe('401 ');
    expect(await ask(alice, get(hello))).toBe('401 ');
    expect(await ask(alice, get(login('alice')))).toBe('200 alice  on 0');
    await connectionsRested();
    for (let index = 0; index < 3; index += 1) expect(await ask(bob, get(''))).toBe('401 ');
    expect(await ask(alice, get(''))).toBe('200 alice  on 0');
    expect(await ask(bob, get(hello))).toBe('401 ');
    expect(await ask(bob, get(login('bob')))).toMatch(/^200 bob/);
    expect(await ask(alice, get(''))).toBe('200 alice  on 0');
    alice.socket.end();
    await upstream.connections[0]?.peerEnd();
    await connectionsRested();
    using carol = await Client.connect(proxy.port);
    expect(await ask(carol, get(''))).toBe('401 ');
  });

  test('logs a client in serves its requests with a body too, each sent once', async () => {
    await using upstream = await startNtlm(scheme);
    await using proxy = await TestProxy.start(upstream.url, { bodyHold: '60s', bodyHoldMax: '60s' });
    using alice = await Client.connect(proxy.port);
    expect(await ask(alice, post('', hello))).toBe('401 ');
    expect(await ask(alice, post('one', login('alice')))).toBe('200 alice one on 0');
    expect(await ask(alice, post('two'))).toBe('200 alice two on 0');
    expect(await ask(alice, get(''))).toBe('200 alice  on 0');
    expect(upstream.requests.length).toBe(4);
  });
});

test('a connection that anybody may use is left for a login, and does not come back', async () => {
  await using upstream = await Upstream.start(async (connection, index) => {
    while ((await connection.request()) !== null) await connection.send(ok(`on ${index}`));
    connection.fin();
  });
  await using proxy = await TestProxy.start(upstream.url);
  using alice = await Client.connect(proxy.port);
  using bob = await Client.connect(proxy.port);
  expect(await ask(bob, get(''))).toBe('200 on 0');
  await connectionsRested();
  expect(await ask(alice, get('Authorization: negotiate ticket\r\n'))).toBe('200 on 1');
  await connectionsRested();
  expect(await ask(bob, get(''))).toBe('200 on 0');
  await connectionsRested();
  expect(await ask(bob, get('Proxy-Authorization: NTLM x\r\n'))).toBe('200 on 2');
  expect(await ask(bob, get(''))).toBe('200 on 2');
  expect(await ask(alice, get(''))).toBe('200 on 1');
});

test('a login ends with its connection: the client is asked for it again', async () => {
  await using upstream = await startNtlm();
  await using proxy = await TestProxy.start(upstream.url);
  using alice = await Client.connect(proxy.port);
  await ask(alice, get('Authorization: NTLM hello\r\n'));
  expect(await ask(alice, get('Authorization: NTLM login-alice\r\n'))).toBe('200 alice  on 0');
  upstream.connections[0]?.fin();
  await upstream.connections[0]?.peerEnd();
  expect(await ask(alice, get(''))).toBe('401 ');
});
