/** Real clients that offer h2c with a plain request, as they do when nobody tells them not to. */

import { createServer } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { ProxyOptions } from '../../src/index.ts';
import { Bare } from '../harness/bare.ts';
import { TestProxy } from '../harness/proxy.ts';
import { need, whyNo } from '../harness/need.ts';
import { runClient } from '../harness/process.ts';

/** Answers with the method and how much of a body came, and with what came of the offer. */
const echo = (): Promise<Bare<ReturnType<typeof createServer>>> =>
  Bare.start(
    createServer((request, response) => {
      void buffer(request).then(({ length }) => {
        const { upgrade, 'http2-settings': settings } = request.headers;
        response.end([request.method, length, upgrade, settings].join(' ').trim());
      });
    }),
  );

describe.each<[name: string, options: ProxyOptions]>([
  ['buffered', {}],
  ['on a path of --stream', { stream: ['/'] }],
])('%s', (_name, options) => {
  test("Java's HttpClient is answered, whatever its request is", async (context) => {
    need(context, whyNo('javac'));
    await using upstream = await echo();
    await using proxy = await TestProxy.start(upstream.url, options);
    const program = join(import.meta.dirname, 'clients', 'OfferingClient.java');
    const { stdout, stderr, code } = await runClient('java', [program, `${proxy.url}/offer`]);
    const post = 'HTTP_1_1 200 POST 200000';
    const get = 'HTTP_1_1 200 GET 0';
    expect({ lines: stdout.toString().trim().split('\n'), stderr, code }).toEqual({
      lines: [get, get, post, post, post, post, post, post],
      stderr: '',
      code: 0,
    });
    expect(proxy.records.map(({ outcome }) => outcome)).toEqual(proxy.records.map(() => outcomeOf(options)));
  });

  test.for<[method: string, args: string[], seen: string]>([
    ['GET', [], 'GET 0'],
    ['POST', ['--data-binary', '@-'], 'POST 100000'],
    ['POST in chunks', ['--data-binary', '@-', '-H', 'Transfer-Encoding: chunked'], 'POST 100000'],
    ['POST that expects 100', ['--data-binary', '@-', '-H', 'Expect: 100-continue'], 'POST 100000'],
  ])('curl --http2 is answered: %s', async ([, args, seen], context) => {
    need(context, whyNo('curl'));
    await using upstream = await echo();
    await using proxy = await TestProxy.start(upstream.url, options);
    const url = `${proxy.url}/offer`;
    const run = await runClient('curl', ['-sS', '--http2', ...args, url, url], Buffer.alloc(100_000));
    expect(run.stderr).toBe('');
    expect(run.stdout.toString().startsWith(seen)).toBe(true);
    expect(run.code).toBe(0);
  });
});

function outcomeOf({ stream }: ProxyOptions): string {
  return stream === undefined ? 'delivered' : 'relayed';
}
