/** What Node's http client tells, and does not tell, of how a response ended. */

import { once } from 'node:events';
import { Agent, get, request as httpRequest } from 'node:http';
import { describe, expect, test } from 'vitest';
import { turns } from '../harness/bare.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import { tell } from './told.ts';
import { OneSocketAgent, connected } from './one-socket-agent.ts';

describe("Node's http client", () => {
  test('calls an until-close body complete although it was reset; the request and the socket tell', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\n\r\npart');
    });
    const told = await tell(upstream.url, () => upstream.connections[0]?.reset());
    expect(told).toEqual({
      events: ['request error ECONNRESET', 'response end'],
      body: 'part',
      complete: true,
      hadError: true,
    });
  });

  test('tells of a body cut by FIN on the response only', async () => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart');
      connection.fin();
    });
    expect(await tell(upstream.url)).toEqual({
      events: ['response aborted', 'response error ECONNRESET'],
      body: 'part',
      complete: false,
      hadError: false,
    });
  });

  test.each([
    ['', 'HPE_INVALID_CONSTANT'],
    ['Connection: close\r\n', 'HPE_CLOSED_CONNECTION'],
  ])('fails on bytes after a whole body (%j: %s)', async (field, code) => {
    await using upstream = await Upstream.start(async (connection) => {
      await connection.request();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${field}\r\nokMORE`);
      connection.fin();
    });
    expect(await tell(upstream.url)).toEqual({
      events: [`request error ${code}`, 'response end'],
      body: 'ok',
      complete: true,
      hadError: false,
    });
  });

  test('a reset of a reused connection before the first byte: the same server answers on a fresh one', async () => {
    await using upstream = await Upstream.start(async (connection, index) => {
      await connection.request();
      await connection.send(ok('ok'));
      if (index > 0 || (await connection.request()) === null) return;
      connection.reset();
    });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<string> => {
      const request = get(upstream.url, { agent });
      const answered = once(request, 'response').then(async ([response]) => {
        response.resume();
        await once(response, 'end');
        await turns(2);
        return 'answered';
      });
      return await answered.catch(
        (error: NodeJS.ErrnoException) => `${error.code} reused=${request.reusedSocket}`,
      );
    };
    expect([await ask(), await ask(), await ask()]).toEqual([
      'answered',
      'ECONNRESET reused=true',
      'answered',
    ]);
    agent.destroy();
  });
});

describe('an agent', () => {
  test('may hand http.request a socket that is connected already, and its addRequest sets the path', async () => {
    await using upstream = await Upstream.start(answering(ok('ok')));
    const agent = new OneSocketAgent(await connected(upstream.port), '/set//here');
    const request = httpRequest({ agent, path: '/asked', headers: { Host: 'x' } }).end();
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(200);
    expect(upstream.requests.map(({ method, target }) => [method, target])).toEqual([['GET', '/set//here']]);
    expect(upstream.connections.length).toBe(1);
    request.destroy();
  });
});
