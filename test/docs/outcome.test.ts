/** What npm run compare calls whole, cut, hidden cut and no response is that. */

import { expect, test } from 'vitest';
import { FAULTS } from '../../scripts/compare/faults.ts';
import { askOnce, type Outcome } from '../../scripts/compare/outcome.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, ok, type Script } from '../harness/upstream.ts';

const EXPECTED = 'x'.repeat(51_200);
const PART = 'x'.repeat(30_000);
const CHUNK = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7530\r\n${PART}\r\n`;

const sends =
  (bytes: string): Script =>
  async (connection) => {
    await connection.request();
    if (bytes !== '') await connection.send(bytes);
    connection.fin();
  };

const SCRIPTS: readonly (readonly [Outcome, Script])[] = [
  ['whole', sends(ok(EXPECTED))],
  ['502', sends('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')],
  ['cut', sends(CHUNK)],
  ['cut', sends(`HTTP/1.1 200 OK\r\nContent-Length: 51200\r\n\r\n${PART}`)],
  ['hidden cut', sends(`${CHUNK}0\r\n\r\n`)],
  ['hidden cut', sends(ok(PART))],
  ['no response', sends('')],
];

test.each(SCRIPTS)('%s', async (outcome, script) => {
  await using upstream = await Upstream.start(script);
  const ask = {
    method: 'GET',
    upload: 'none',
    path: '/',
    expected: Buffer.from(EXPECTED),
    slow: false,
  } as const;
  expect(await askOnce(upstream.port, ask)).toBe(outcome);
});

const SCRIPTED = FAULTS.filter(({ tries, name }) => tries === 3 && name !== 'two lengths');

test.each(SCRIPTED)('an upstream of "$name" cuts its response, and lastbyte says so', async (fault) => {
  await using upstream = await fault.start();
  await using proxy = await TestProxy.start(`http://127.0.0.1:${upstream.port}`);
  expect(await askOnce(upstream.port, fault.ask)).toBe('cut');
  expect(await askOnce(proxy.port, fault.ask)).toBe('502');
});
