/** docs/troubleshooting.md: real clients say the words that it explains, and lastbyte cures what it says. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ERROR_CODES, ProxyError } from '../../src/errors.ts';
import { lastbyte } from '../harness/lastbyte.ts';
import { takenPort } from '../cli/servers.ts';
import { TestProxy } from '../harness/proxy.ts';
import { need } from '../harness/need.ts';
import { CLIENTS, closeChromium, type ClientName } from './complaints.ts';
import { startFaulty, type FaultName } from './faulty.ts';

const DOCUMENT = readFileSync(
  path.join(import.meta.dirname, '..', '..', 'docs', 'troubleshooting.md'),
  'utf8',
);
/** The headings that quote an error. */
const EXPLAINED = [...DOCUMENT.matchAll(/^### `(.+)`$/gm)].map(([, words = '']) => words);

const SAID: readonly (readonly [words: string, client: ClientName, fault: FaultName])[] = [
  ['socket hang up', 'node:http', 'closes without a response'],
  ['socket hang up', 'node-fetch 2', 'closes without a response'],
  ['socket hang up', 'node-fetch 3', 'closes without a response'],
  ['other side closed', 'fetch', 'closes without a response'],
  ['other side closed', 'undici', 'closes without a response'],
  ['Empty reply from server', 'curl', 'closes without a response'],
  ['Remote end closed connection without response', 'http.client', 'closes without a response'],
  ['ERR_EMPTY_RESPONSE', 'Chromium', 'closes without a response'],
  ['read ECONNRESET', 'node:http', 'resets without a response'],
  ['Connection reset by peer', 'curl', 'resets without a response'],
  ['Connection reset by peer', 'http.client', 'resets without a response'],
  ['ERR_CONNECTION_RESET', 'Chromium', 'resets without a response'],
  ['Error: aborted', 'node:http', 'cuts at a length'],
  ['TypeError: terminated', 'fetch', 'cuts at a length'],
  ['TypeError: terminated', "undici's fetch", 'cuts in chunks'],
  ['other side closed', 'undici', 'cuts at a length'],
  ['Premature close', 'node-fetch 2', 'cuts in chunks'],
  ['Premature close', 'node-fetch 3', 'cuts in chunks'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'node-fetch 2', 'cuts in chunks'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'node-fetch 3', 'cuts in chunks'],
  ['ERR_STREAM_PREMATURE_CLOSE', 'stream.pipeline', 'cuts at a length'],
  ['transfer closed with 21200 bytes remaining to read', 'curl', 'cuts at a length'],
  ['IncompleteRead(30000 bytes read, 21200 more expected)', 'http.client', 'cuts at a length'],
  ['ERR_CONTENT_LENGTH_MISMATCH', 'Chromium', 'cuts at a length'],
  ['transfer closed with outstanding read data remaining', 'curl', 'cuts in chunks'],
  ['IncompleteRead(30000 bytes read)', 'http.client', 'cuts in chunks'],
  ['ERR_INCOMPLETE_CHUNKED_ENCODING', 'Chromium', 'cuts in chunks'],
  ['Unexpected end of JSON input', 'fetch and JSON', 'cuts before a value'],
  ['in JSON at position 14', 'fetch and JSON', 'cuts without a length'],
];

/** Explained, and said elsewhere than by a client that reads. */
const SAID_ELSEWHERE: ReadonlySet<string> = new Set([
  'write EPIPE', // a race between two kernels: a client that writes may see either this or ECONNRESET
  'upstream prematurely closed connection', // nginx, which no test starts: npm run compare does
  'is in use',
  'is not a flag of lastbyte',
  ...ERROR_CODES.map((code) => new ProxyError(code, '').title),
]);

afterAll(closeChromium);

test('every error that is explained is one that somebody says', () => {
  const known = new Set([...SAID.map(([words]) => words), ...SAID_ELSEWHERE]);
  expect(EXPLAINED.filter((words) => !known.has(words))).toEqual([]);
  expect(SAID.filter(([words]) => !EXPLAINED.includes(words))).toEqual([]);
});

describe.each(SAID)('"%s"', (words, name, fault) => {
  const client = CLIENTS[name];

  test(`is what ${name} says of a server that ${fault}`, async (context) => {
    need(context, client.missing());
    await using upstream = await startFaulty(fault);
    expect(await client.ask(`${upstream.url}/rows`)).toContain(words);
  });

  const untold = fault === 'cuts before a value' || fault === 'cuts without a length';
  const through = untold
    ? 'still said through lastbyte, which marks the response'
    : 'not said through lastbyte';
  test(`is ${through}`, async (context) => {
    need(context, client.missing());
    await using upstream = await startFaulty(fault, 1);
    await using proxy = await TestProxy.start(upstream.url);
    const complaint = await client.ask(`${proxy.url}/rows`);
    await proxy.record();
    const verdicts = proxy.records.map(({ verdict }) => verdict);
    if (untold) {
      // Nobody can tell: it is delivered, and marked.
      expect(complaint).toContain(words);
      expect(verdicts).toEqual(['unverifiable']);
    } else {
      expect(complaint).toBe('');
      expect(verdicts.at(-1)).toBe('complete');
      expect(upstream.requests.filter(({ target }) => target === '/rows').length).toBe(2);
    }
  });
});

test('node-fetch 2 says nothing when a length is not met', async () => {
  await using upstream = await startFaulty('cuts at a length');
  expect(await CLIENTS['node-fetch 2'].ask(`${upstream.url}/rows`)).toBe('');
  await using proxy = await TestProxy.start(upstream.url, { retries: 0 });
  await CLIENTS['node-fetch 2'].ask(`${proxy.url}/rows`);
  expect(await proxy.record()).toMatchObject({ status: 502, error: 'response_truncated' });
});

test('"is in use" is what lastbyte says of a port that another program has', async () => {
  await using taken = await takenPort();
  const { code, stderr } = await lastbyte(['8000', '--port', String(taken.port), '--no-admin']);
  expect(stderr).toContain('is in use');
  expect(code).toBe(1);
});

test('"is not a flag of lastbyte" is what lastbyte says of a misspelt flag', async () => {
  const { code, stderr } = await lastbyte(['8000', '--retires', '1']);
  expect(stderr).toContain('is not a flag of lastbyte');
  expect(code).toBe(2);
});
