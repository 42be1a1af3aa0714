/** What other proxies make of an upstream that is cut after 30,000 of 51,200 bytes; none of it may happen here. */

import { describe, expect, test } from 'vitest';
import { Client, valueOf } from '../helpers/client.ts';
import { TestProxy } from '../helpers/proxy.ts';
import { Upstream, ok } from '../helpers/upstream.ts';

const PART = 'x'.repeat(30_000);
const FAULTS = {
  'a length': `HTTP/1.1 200 OK\r\nContent-Length: 51200\r\n\r\n${PART}`,
  chunks: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7530\r\n${PART}\r\n`,
  'no length, and HTTP/1.0': `HTTP/1.0 200 OK\r\n\r\n${PART}`,
} as const;

/** An upstream that answers /fine, and cuts everything else as told. */
async function cutting(text: string, ending: 'fin' | 'rst'): Promise<Upstream> {
  return await Upstream.start(async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) return;
      if (request.target === '/fine') {
        await connection.send(ok('fine'));
        continue;
      }
      await connection.send(text);
      if (ending === 'fin') connection.fin();
      else connection.reset();
      return;
    }
  });
}

describe.each(Object.entries(FAULTS))('an answer framed by %s', (name, text) => {
  test.each(['fin', 'rst'] as const)('and cut by %s is no 200 with a part of it', async (ending) => {
    await using upstream = await cutting(text, ending);
    await using proxy = await TestProxy.start(upstream.url);
    using client = await Client.connect(proxy.port);
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const response = await client.response();
    const nobodyCanTell = name.startsWith('no length') && ending === 'fin';
    expect(response.status).toBe(nobodyCanTell ? 200 : 502);
    expect(valueOf(response.fields, 'transfer-encoding')).toBeUndefined();
    if (nobodyCanTell) expect((await proxy.record()).verdict).toBe('unverifiable');
    else expect(response.body.toString()).not.toContain('xxx');
    // Neither hung, nor closed, nor followed by the text of an error.
    await client.send('GET /fine HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('fine');
    expect(client.left.length).toBe(0);
  });

  test.each(['fin', 'rst'] as const)('and cut by %s names the numbers', async (ending) => {
    await using upstream = await cutting(text, ending);
    await using proxy = await TestProxy.start(upstream.url, { retries: 0 });
    using client = await Client.connect(proxy.port);
    await client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    await client.response();
    const { sentence } = await proxy.record();
    expect(sentence).toContain('30,000');
    if (name === 'a length') expect(sentence).toContain('51,200');
  });
});
