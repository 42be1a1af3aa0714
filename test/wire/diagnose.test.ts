/** A diagnosis of scripted servers: each fault is named, nothing else is, and no connection is left open. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, diagnose } from '../../src/index.ts';
import type { DiagnoseOptions, DiagnosisReport } from '../../src/index.ts';
import { serving, faultless, type Asked } from '../harness/asked.ts';
import { Bare } from '../harness/bare.ts';
import { valueOf } from '../harness/client.ts';
import { ok, Upstream, type Script } from '../harness/upstream.ts';

const BODY = 'The quick brown fox jumps over the lazy dog.\n'.repeat(8000);
const WHOLE = ok(BODY);
/** Enough to see a fault that does not depend on how the request is sent. */
const FEW = { scenarios: ['get-kept', 'get-closed', 'length-closed', 'chunked-closed'] } as const;
const SHORT_CLOCKS = {
  tries: 2,
  timeout: 300,
  tryLimit: 600,
  connectTimeout: 2000,
  bodySize: 20_000,
} as const;

interface Diagnosed {
  readonly report: DiagnosisReport;
  readonly upstream: Upstream;
}

/** Runs a diagnosis of a script, and sees that the server is left with no open connection. */
async function diagnosed(script: Script, options: DiagnoseOptions = {}): Promise<Diagnosed> {
  await using upstream = await Upstream.start(script);
  const report = await diagnose(`${upstream.url}/report`, { ...SHORT_CLOCKS, ...options });
  for (const connection of upstream.connections) await connection.peerEnd();
  return { report, upstream };
}

const codes = ({ findings }: DiagnosisReport): string[] => findings.map(({ code }) => code);
const found = (report: DiagnosisReport, code: string) => report.findings.find((one) => one.code === code);
const scenario = ({ scenarios }: DiagnosisReport, name: string) => scenarios.find((one) => one.name === name);

/** Sends a part of the response and resets, if the request has a body. */
const resetting = (fits: (asked: Asked) => boolean): Script =>
  serving(async (connection, asked) => {
    if (fits(asked)) {
      await connection.send(WHOLE.slice(0, 100_000));
      connection.reset();
    } else {
      await asked.body();
      await connection.send(WHOLE);
    }
  });

const isChunked = ({ fields }: Asked): boolean => valueOf(fields, 'transfer-encoding') === 'chunked';

describe('a server without a fault', () => {
  test('is found to have none, in all scenarios', async () => {
    const { report } = await diagnosed(faultless(WHOLE));
    expect(report).toMatchObject({ schema: 1, verdict: 'no-fault', notRun: [], curl: null, through: null });
    expect(codes(report)).toEqual([]);
    expect(report.scenarios).toHaveLength(16);
    for (const { direct } of report.scenarios) {
      expect(direct).toMatchObject({
        tries: 2,
        whole: 2,
        outcomes: { whole: 2 },
        expectedBytes: BODY.length,
      });
    }
    expect(report.summary).toMatch(/^No fault found: 32 of 32 .*360\.0 kB, and no connection was reset\.$/);
  });

  test('gets each request as its scenario says, and a body only where one was meant', async () => {
    const { upstream, report } = await diagnosed(faultless(WHOLE), { method: 'POST', tries: 1 });
    const seen = new Set(
      upstream.connections.map(({ received }) => {
        const text = received.toString('latin1');
        const [line = ''] = text.split('\r\n');
        const has = (name: string): string => new RegExp(`^${name}: ?(.*)$`, 'im').exec(text)?.[1] ?? '-';
        return [line, has('Connection'), has('Content-Length'), has('Transfer-Encoding'), has('Expect')].join(
          '|',
        );
      }),
    );
    expect([...seen].sort()).toEqual(
      [
        'GET /report HTTP/1.0|-|-|-|-',
        'GET /report HTTP/1.1|close|-|-|-',
        'GET /report HTTP/1.1|keep-alive|-|-|-',
        'POST /report HTTP/1.0|-|20000|-|-',
        'POST /report HTTP/1.1|close|0|-|-',
        'POST /report HTTP/1.1|close|20000|-|-',
        'POST /report HTTP/1.1|close|20000|-|100-continue',
        'POST /report HTTP/1.1|close|-|chunked|-',
        'POST /report HTTP/1.1|keep-alive|20000|-|-',
        'POST /report HTTP/1.1|keep-alive|-|chunked|-',
      ].sort(),
    );
    expect(report.unsafeRequests).toBe(11);
    expect(scenario(report, 'get-kept')?.direct.keepAlive).toEqual(['honoured']);
    expect(scenario(report, 'length-expect')?.direct).toMatchObject({ interim: [100], bodyRead: ['read'] });
  });

  test('that responds before it reads sees no byte of a withheld body, and is seen to have had a head start', async () => {
    const script = serving(async (connection) => await connection.send(WHOLE));
    const { upstream, report } = await diagnosed(script, { scenarios: ['length-withheld'] });
    for (const { received } of upstream.connections)
      expect(received.toString().split('\r\n\r\n')[1]).toBe('');
    expect(scenario(report, 'length-withheld')?.direct).toMatchObject({ whole: 2, bodyRead: ['not-sent'] });
    expect(scenario(report, 'length-withheld')?.direct.headStartMs).not.toBeNull();
  });

  test('is told from one that resets after a whole response, each time', async () => {
    const small = ok('small');
    const inOrder = await diagnosed(faultless(small), { tries: 50, scenarios: ['get-closed'] });
    expect(scenario(inOrder.report, 'get-closed')?.direct).toMatchObject({
      outcomes: { whole: 50 },
      closedBy: ['fin'],
    });
    const script: Script = serving(async (connection, { body }) => {
      await body();
      await connection.send(small);
      connection.reset();
    });
    const hidden = await diagnosed(script, { tries: 50, scenarios: ['get-closed'] });
    expect(scenario(hidden.report, 'get-closed')?.direct).toMatchObject({
      outcomes: { 'reset-behind': 50 },
      closedBy: ['rst'],
    });
    expect(hidden.report.verdict).toBe('fault');
  });
});

describe('the fault of an unread body', () => {
  test('in chunks alone is cured by a Content-Length', async () => {
    const { report } = await diagnosed(resetting(isChunked));
    expect(report.verdict).toBe('fault');
    expect(codes(report)).toEqual(['unread-body']);
    expect(found(report, 'unread-body')).toMatchObject({
      severity: 'fault',
      cure: expect.stringContaining('Content-Length'),
      scenarios: ['chunked-closed', 'chunked-slow', 'chunked-kept'],
      tries: 6,
      affected: 6,
      options: [],
    });
    expect(report.summary).toMatch(
      /unread chunked request body: 6 of 6 .*, 260\.\d kB of 360\.0 kB lost at worst\. lastbyte .*Content-Length\.$/,
    );
    expect(scenario(report, 'chunked-closed')?.direct).toMatchObject({
      whole: 0,
      closedBy: ['rst'],
      bodyRead: ['unread'],
    });
    expect(report.curl).toContain("-H 'Transfer-Encoding: chunked'");
  });

  test('in any framing is cured by holding it back, when the response came whole without it', async () => {
    // As a server that closes with bytes unread: what its kernel makes of that is the fault itself.
    await using server = await Bare.start(
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => {
          socket.pause();
          socket.write(WHOLE, () => socket.destroy());
        });
      }),
    );
    const scenarios = ['get-closed', 'get-slow', 'length-closed', 'length-withheld', 'chunked-slow'];
    const report = await diagnose(server.url, { ...SHORT_CLOCKS, bodySize: 1_000_000, scenarios });
    expect(codes(report)).toEqual(['unread-body']);
    expect(found(report, 'unread-body')).toMatchObject({
      scenarios: ['length-closed', 'chunked-slow'],
      cure: expect.stringContaining('withholding the body'),
    });
    expect(found(report, 'unread-body')?.what).toContain(
      'an unread request body, with a Content-Length or chunked',
    );
    expect(scenario(report, 'length-withheld')?.direct).toMatchObject({ whole: 2, closedBy: ['fin'] });
  });

  test('is not named where a request without a body is reset too', async () => {
    const { report } = await diagnosed(resetting(() => true));
    expect(codes(report)).toEqual(['reset']);
    expect(found(report, 'reset')?.what).toMatch(
      /^Resets the connection, even without a request body: (\d+) of \1/,
    );
  });
});

/** Reads the request, sends `bytes`, and then does what is told. */
const sending = (bytes: string, then: 'fin' | 'rst' | 'wait' | 'as asked'): Script =>
  serving(async (connection, { body }) => {
    await body();
    await connection.send(bytes);
    if (then === 'fin') connection.fin();
    if (then === 'rst') connection.reset();
    if (then === 'wait') await connection.peerEnd();
  });

const CHUNKS = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n`;

describe('other faults', () => {
  test.each([
    [
      'a Content-Length that is too large, then FIN',
      sending(ok('whole').replace('5', '50'), 'fin'),
      'wrong-length',
      '(FIN)',
    ],
    [
      'a Content-Length that is too large, then silence',
      sending(ok('whole').replace('5', '50'), 'wait'),
      'wrong-length',
      'then waits',
    ],
    [
      'a Content-Length that is too small',
      sending(ok('whole').replace('5', '3'), 'fin'),
      'surplus',
      'Sends up to 2 bytes more than it announced',
    ],
    ['no last chunk, then FIN', sending(CHUNKS, 'fin'), 'no-last-chunk', '(FIN)'],
    ['no last chunk, then silence', sending(CHUNKS, 'wait'), 'no-last-chunk', 'then waits'],
    ['a reset at once', sending('', 'rst'), 'reset', 'Resets the connection without responding'],
    ['a FIN at once', sending('', 'fin'), 'no-answer', 'Closes the connection without a response'],
    ['a hang', sending('', 'wait'), 'silent', 'within 300 ms'],
    ['another protocol', sending('220 mail ESMTP\r\n', 'fin'), 'not-http', 'HTTP/1.1'],
    ['TLS, where HTTP was asked', sending('\x15\x03\x03\x00\x02\x02\x0a', 'fin'), 'not-http', 'HTTP/1.1'],
  ] as const)('%s', async (_name, script, code, words) => {
    const { report } = await diagnosed(script, FEW);
    expect(codes(report)).toContain(code);
    expect(codes(report).filter((one) => one !== 'small-answer' && one !== 'keep-alive-closed')).toEqual([
      code,
    ]);
    expect(report.verdict).toBe('fault');
    expect(found(report, code)?.what).toContain(words);
    expect(report.summary).toContain(words);
  });

  test('an early close of a kept connection that nothing announced', async () => {
    const script = serving(async (connection, { body }) => {
      await body();
      await connection.send(WHOLE);
      connection.fin();
    });
    const { report } = await diagnosed(script, FEW);
    expect(codes(report)).toEqual(['keep-alive-closed']);
    expect(scenario(report, 'get-kept')?.direct).toMatchObject({ whole: 2, keepAlive: ['closed-early'] });
  });

  test('a close that was announced is none', async () => {
    const script = serving(async (connection, { body }) => {
      await body();
      await connection.send(ok(BODY, 'Connection: close\r\n'));
      connection.fin();
    });
    const { report } = await diagnosed(script, FEW);
    expect(codes(report)).toEqual([]);
    expect(scenario(report, 'get-kept')?.direct.keepAlive).toEqual(['declined']);
  });

  test('a second request on a kept connection that never gets a response', async () => {
    const script: Script = async (connection) => {
      const asked = await connection.request();
      if (asked === null) return connection.fin();
      await connection.send(WHOLE);
      await connection.peerEnd();
    };
    const { report } = await diagnosed(script, { scenarios: ['get-kept'] });
    expect(codes(report)).toEqual(['keep-alive-closed']);
    expect(scenario(report, 'get-kept')?.direct.keepAlive).toEqual(['unanswered']);
  });

  test('a body that is taken for the next request', async () => {
    const script = serving(async (connection, { hasBody, closes, body }) => {
      if (closes) await body();
      await connection.send(
        hasBody && !closes ? `${WHOLE}HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n` : WHOLE,
      );
    });
    const { report } = await diagnosed(script);
    expect(codes(report)).toEqual(['leftover-body']);
    expect(found(report, 'leftover-body')?.scenarios).toEqual(['length-kept', 'chunked-kept']);
  });

  test('a FIN at a different place each time', async () => {
    let length = 1000;
    const script = serving(async (connection, { body }) => {
      await body();
      await connection.send(WHOLE.slice(0, (length += 1000)));
      connection.fin();
    });
    const { report } = await diagnosed(script, FEW);
    expect(codes(report)).toEqual(['closed-early']);
  });

  test('a server that stops listening in the middle', async () => {
    const upstream = await Upstream.start(faultless(WHOLE));
    const ended: Promise<void>[] = [];
    const onProgress = ({ number }: { readonly number: number }): void => {
      if (number === 3 && ended.length === 0) ended.push(upstream[Symbol.asyncDispose]());
    };
    const report = await diagnose(upstream.url, { ...SHORT_CLOCKS, onProgress });
    await Promise.all(ended);
    expect(codes(report)).toContain('gone');
    expect(report.verdict).toBe('fault');
  });
});

describe('what cannot be judged', () => {
  test('a response until close is noted, and is no fault', async () => {
    const { report } = await diagnosed(sending(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${BODY}`, 'fin'));
    expect(report.verdict).toBe('no-fault');
    expect(codes(report)).toEqual(['until-close']);
    expect(found(report, 'until-close')?.severity).toBe('note');
  });

  test.each([
    ['fast, by --max-answer', BODY.repeat(10), { maxAnswer: 1_000_000 }],
    ['slowly, by --try-limit', 'data: still here\n\n', {}],
  ])(
    'a server that streams for ever, %s, ends in bounded time and in clear words',
    async (_how, part, options) => {
      const script = serving(async (connection, { body }) => {
        await body();
        await connection.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n');
        while (connection.ended === null && !connection.socket.destroyed) {
          await connection.send(part);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      });
      const { report, upstream } = await diagnosed(script, options);
      expect(report.verdict).toBe('inconclusive');
      expect(codes(report)).toContain('endless');
      expect(report.summary).toMatch(/^No verdict: .*Streams without an end/);
      expect(report.notRun).toHaveLength(14);
      expect(upstream.connections).toHaveLength(2);
    },
  );

  test('a hang is not waited for in every scenario', async () => {
    const { report, upstream } = await diagnosed(sending('', 'wait'), { tries: 10 });
    expect(upstream.connections).toHaveLength(6);
    expect(report.notRun).toHaveLength(13);
  });

  test('a diagnosis that is called off reports what it saw until then', async () => {
    const stop = new AbortController();
    const onProgress = ({ number }: { readonly number: number }): void => {
      if (number === 3) stop.abort();
    };
    const { report } = await diagnosed(faultless(WHOLE), { onProgress, signal: stop.signal });
    expect(report.verdict).toBe('inconclusive');
    expect(report.scenarios.map(({ name }) => name)).toEqual(['get-kept', 'get-closed']);
    expect(report.notRun).toHaveLength(14);
  });

  test('a body whose response is an error is noted', async () => {
    const script = serving(async (connection, { hasBody, body }) => {
      await body();
      await connection.send(hasBody ? 'HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n' : WHOLE);
    });
    const { report } = await diagnosed(script);
    expect(report.verdict).toBe('no-fault');
    expect(found(report, 'error-status')?.what).toMatch(/GET with a body .*405 in 20 of 20 tries\.$/);
  });
});

test('what is wrong with the address and the options is told at once, as an error', async () => {
  const wrong = { tries: 0, timeot: 1, timeout: '5' };
  const error: unknown = await diagnose('ftp://x', wrong).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw new Error(`not a ConfigError: ${String(error)}`);
  expect(error.message.split('\n')).toEqual([
    'options.timeot: is not an option of diagnose. Did you mean timeout?',
    'argument url: "ftp://x" has the scheme ftp. Use http or https, for WebSockets too.',
    'options.tries: "0" is below the minimum of 1. Use 1 to 1000.',
    'options.timeout: "5" has no unit. Write 5s for seconds or 5ms for milliseconds.',
  ]);
});

test('times of a program are in ms, and its body is sent as it is', async () => {
  const { upstream, report } = await diagnosed(faultless(WHOLE), {
    tries: 1,
    scenarios: ['length-closed'],
    method: 'PUT',
    headers: ['X-Token: secret'],
    data: new Uint8Array([0, 255, 10]),
  });
  const received = upstream.connections[0]?.received.toString('latin1') ?? '';
  expect(received).toMatch(/^PUT \/report HTTP\/1\.1\r\n[\s\S]*X-Token: secret\r\n[\s\S]*\r\n\r\n\0\xff\n$/);
  expect(report).toMatchObject({ bodyBytes: 3, unsafeRequests: 1 });
});

test('a server on a unix socket is asked like any other', async () => {
  const path = join(tmpdir(), `lastbyte-diagnose-${process.pid}.sock`);
  const lines: string[] = [];
  const server = createServer((socket) => {
    socket.once('data', (head) => {
      lines.push(...head.toString('latin1').split('\r\n').slice(0, 2));
      socket.end(WHOLE);
    });
  });
  server.listen(path);
  await once(server, 'listening');
  try {
    const report = await diagnose(`unix:${path}:/report?all`, {
      ...SHORT_CLOCKS,
      tries: 1,
      scenarios: ['get-closed'],
    });
    expect(report).toMatchObject({ verdict: 'no-fault', url: `unix:${path}:/report?all` });
    expect(lines).toEqual(['GET /report?all HTTP/1.1', 'Host: localhost']);
  } finally {
    server.close();
    await once(server, 'close');
  }
});
