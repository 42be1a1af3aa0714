/** The log, as its stream sees it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import path from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AccessLogFormat, LogLevel } from '../../../src/config/settings.ts';
import type { ExchangeRecord } from '../../../src/exchange/events.ts';
import { exchangeLevel, jsonLine } from '../../../src/observe/log-lines.ts';
import { createLog } from '../../../src/observe/log.ts';
import type { Log } from '../../../src/observe/log.ts';
import { DELIVERED, REFUSED, RETRIED } from './records.ts';

/** All that is written by the time the log is closed. */
async function logged(
  format: AccessLogFormat,
  write: (log: Log) => void,
  options: { level?: LogLevel; color?: boolean; isTTY?: boolean; quiet?: boolean } = {},
): Promise<string> {
  const stream = Object.assign(
    new PassThrough(),
    options.isTTY === undefined ? {} : { isTTY: options.isTTY },
  );
  const { level = 'debug', color = false, quiet = false } = options;
  const log = createLog({ level, format, stream, color, quiet });
  write(log);
  await log.close();
  stream.end();
  return await text(stream);
}

const exchange =
  (...records: ExchangeRecord[]) =>
  (log: Log): void =>
    records.forEach((record) => log.exchange(record));

describe('pretty', () => {
  test('gives a delivered exchange one line, and why a refused one failed beneath it', async () => {
    const lines = (await logged('pretty', exchange(DELIVERED, REFUSED))).split('\n');
    expect(lines[0]).toMatch(/^\d\d:\d\d:05\.018   200   50\.0 KiB     12 ms  GET     \/report$/);
    expect(lines[1]).toMatch(
      /^\S+ ! 502      400 B     12 ms  GET     \/report  refused: 3 attempts, truncated$/,
    );
    expect(lines[2]).toBe('               The upstream cut it: read the body.');
    expect(lines.slice(3)).toEqual(['']);
  });

  test.each([
    [
      'saved',
      { ...RETRIED, sentence: 'Cut, then whole.' },
      /^\S+ \+ 200 .*\/report {2}saved: 2 attempts\n {15}Cut, then whole\.\n$/,
    ],
    [
      'noted',
      { ...DELIVERED, verdict: 'unverifiable', sentence: 'So so.' },
      /^\S+ ~ 200 .*\/report {2}unverifiable\n/,
    ],
    [
      'the client left',
      { ...DELIVERED, status: 0, verdict: 'abandoned', outcome: 'abandoned' },
      /^\S+ - --- .*\/report {2}abandoned\n$/,
    ],
    [
      'cut',
      { ...DELIVERED, verdict: 'truncated', outcome: 'cut' },
      /^\S+ ! 200 .*\/report {2}cut: truncated\n$/,
    ],
  ] as const)('marks what stands out: %s', async (_name, record, line) => {
    expect(await logged('pretty', exchange(record))).toMatch(line);
  });

  test('colours only if asked', async () => {
    expect(await logged('pretty', exchange(REFUSED), { color: true })).toContain('\u001b[31m502\u001b[0m');
    expect(await logged('pretty', exchange(REFUSED))).not.toContain('\u001b');
  });

  test('names what is out of the ordinary', async () => {
    const waited = { ...DELIVERED, waitedMs: 2_100, verdict: 'unverifiable' } as const;
    expect(await logged('pretty', exchange(waited))).toMatch(/ {2}saved: waited 2100 ms, unverifiable\n$/);
    const upgraded = { ...DELIVERED, status: 101, verdict: null, outcome: 'upgraded' } as const;
    expect(await logged('pretty', exchange(upgraded))).toMatch(/ 101 .* {2}upgraded\n$/);
  });

  test('writes messages with their fields', async () => {
    const line = await logged('pretty', (log) =>
      log.warn('Two words', { port: 1, path: '/a b', plain: 'x', e: null }),
    );
    expect(line).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3}  warn   Two words  port=1  path="\/a b"  plain=x  e=null\n$/,
    );
  });
});

describe('json', () => {
  test('has names that programs can rely on', async () => {
    expect(JSON.parse(await logged('json', exchange(REFUSED)))).toEqual({
      time: '2026-01-02T03:04:05.018Z',
      level: 'warn',
      event: 'exchange',
      id: '8',
      client: '127.0.0.1',
      method: 'GET',
      path: '/report',
      status: 502,
      bytes: 400,
      ms: 12.3,
      tries: 3,
      waited_ms: 0,
      verdict: 'truncated',
      outcome: 'refused',
      severity: 'problem',
      error: 'response_truncated',
      why: 'The upstream cut it: read the body.',
    });
  });

  test('is JSON whatever the exchange was, in one line, at the time of its end', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
    fc.assert(
      fc.property(
        texts,
        texts,
        fc.option(texts),
        fc.double({ min: 0, max: 1e10, noNaN: true }),
        fc.boolean(),
        (method, target, sentence, durationMs, isLater) => {
          const startedAt = DELIVERED.startedAt + (isLater ? 1 : 0);
          const record = { ...DELIVERED, startedAt, method, url: `/${target}`, sentence, durationMs };
          const line = jsonLine(record);
          expect(line).toMatch(/^[^\n\r\u2028\u2029]*$/);
          const parsed: unknown = JSON.parse(line);
          expect(parsed).toMatchObject({
            time: new Date(startedAt + durationMs).toISOString(),
            method,
            ms: Math.round(durationMs * 10) / 10,
            why: sentence,
          });
          expect(JSON.parse(JSON.stringify(parsed))).toEqual(parsed);
        },
      ),
    );
  });

  test('lets no field of a message take the place of its own, and writes what JSON cannot', async () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const cause = Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
    const lines = await logged('json', (log) => {
      log.info('Up', { level: 'x', message: 'x', port: 8080, big: 1n, token: 'abc', cause });
      log.error('Round', circle);
    });
    const [up, round] = lines.split('\n').map((line) => (line === '' ? null : JSON.parse(line)));
    expect(up).toMatchObject({ level: 'info', event: 'message', message: 'Up', port: 8080, big: '1' });
    expect(up).toMatchObject({ token: '[redacted]', cause: { message: 'in use', code: 'EADDRINUSE' } });
    expect(round.unwritable).toContain('circular');
  });
});

test('combined is what tools for Apache logs read, with messages as plain lines', async () => {
  const lines = await logged('combined', (log) => {
    log.exchange({ ...DELIVERED, url: '/a"b?token=1', responseBytes: 0 });
    log.exchange({ ...DELIVERED, requestFields: [] });
    log.info('Up');
  });
  expect(lines.split('\n').slice(0, 2)).toEqual([
    '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /a\\"b?token=[redacted] HTTP/1.1" 200 - "http://a.test/?token=[redacted]" "curl/8"',
    '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /report HTTP/1.1" 200 51200 "-" "-"',
  ]);
  expect(lines).toMatch(/\n\d\d:\d\d:\d\d\.\d{3} {2}info {3}Up\n$/);
});

test('off leaves what the program itself has to say', async () => {
  const lines = await logged('off', (log) => {
    log.exchange(REFUSED);
    log.debug('D');
    log.info('I');
    log.warn('W');
    log.error('E');
  });
  expect(lines.split('\n').map((line) => line.slice(-1))).toEqual(['D', 'I', 'W', 'E', '']);
});

test('auto is pretty on a terminal and JSON elsewhere', async () => {
  expect(await logged('auto', exchange(DELIVERED), { isTTY: true })).toMatch(/^\d\d:/);
  expect(await logged('auto', exchange(DELIVERED), { isTTY: false })).toMatch(/^\{/);
  expect(await logged('auto', exchange(DELIVERED))).toMatch(/^\{/);
});

describe('the banner', () => {
  const banner = {
    version: '1.2.3',
    url: 'http://127.0.0.1:8080',
    target: 'http://127.0.0.1:8000',
    adminUrl: 'http://127.0.0.1:8081',
  };
  const begin = (log: Log): void => log.banner(banner);

  test('lists the addresses on a terminal', async () => {
    expect((await logged('auto', begin, { isTTY: true })).split('\n')).toEqual([
      '',
      '  lastbyte 1.2.3',
      '',
      '  proxy      http://127.0.0.1:8080',
      '  upstream   http://127.0.0.1:8000',
      '  inspector  http://127.0.0.1:8081',
      '',
      '',
    ]);
    const plain = await logged('pretty', (log) => log.banner({ ...banner, adminUrl: null }), { isTTY: true });
    expect(plain).not.toContain('inspector');
  });

  test.each(['pretty', 'combined', 'off'] as const)('is one line elsewhere, also with %s', async (format) => {
    expect(await logged(format, begin, { level: 'error' })).toMatch(
      /^\S+ {2}info {3}lastbyte 1\.2\.3: http:\/\/127\.0\.0\.1:8080 -> http:\/\/127\.0\.0\.1:8000, admin http:\/\/127\.0\.0\.1:8081\n$/,
    );
  });

  test('has names of its own in JSON', async () => {
    expect(JSON.parse(await logged('json', begin))).toMatchObject({
      level: 'info',
      event: 'start',
      version: '1.2.3',
      url: banner.url,
      target: banner.target,
      admin: banner.adminUrl,
    });
  });
});

test('quiet says only what went wrong, and no banner', async () => {
  const lines = await logged(
    'json',
    (log) => {
      log.banner({ version: '1', url: '', target: '', adminUrl: null });
      exchange(DELIVERED, RETRIED, REFUSED)(log);
      log.info('I');
      log.warn('W');
    },
    { quiet: true },
  );
  expect(lines.match(/"(status|message)":("W"|\d+)/g)).toEqual(['"status":502', '"message":"W"']);
});

test('docs/logs.md names every field of an exchange, and no other', async () => {
  const table =
    /## JSON[^]*?(?=\n## )/.exec(
      readFileSync(path.join(import.meta.dirname, '../../../docs/logs.md'), 'utf8'),
    )?.[0] ?? '';
  const documented = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(documented).toEqual(Object.keys(JSON.parse(await logged('json', exchange(DELIVERED)))));
});

describe('levels', () => {
  test('tell whose fault it was', () => {
    expect(exchangeLevel(DELIVERED)).toBe('info');
    expect(exchangeLevel({ ...DELIVERED, status: 500 })).toBe('info');
    expect(exchangeLevel({ ...REFUSED, status: 413, error: 'request_body_too_large' })).toBe('info');
    expect(exchangeLevel(REFUSED)).toBe('warn');
    expect(exchangeLevel({ ...DELIVERED, outcome: 'cut', error: 'response_truncated' })).toBe('warn');
    expect(exchangeLevel({ ...REFUSED, status: 500, error: 'internal_error' })).toBe('error');
  });

  test('leave out what is below the one that is set', async () => {
    const lines = await logged(
      'json',
      (log) => {
        exchange(DELIVERED, REFUSED)(log);
        log.info('I');
        log.warn('W');
      },
      { level: 'warn' },
    );
    expect(lines.match(/"level":"\w+"/g)).toEqual(['"level":"warn"', '"level":"warn"']);
  });
});

describe('what comes from outside', () => {
  const evil = '/a\r\nGET /forged 200\u001b[2J\u0085\u2028\u202e\u0000é😀\u{e0041}';
  const record: ExchangeRecord = {
    ...REFUSED,
    url: evil,
    sentence: evil,
    requestFields: ['User-Agent', evil],
  };

  test.each(['pretty', 'json', 'combined'] as const)(
    'cannot forge a line or command a terminal in %s',
    async (format) => {
      const lines = await logged(format, exchange(record));
      expect(lines.split('\n')).toHaveLength(format === 'pretty' ? 3 : 2);
      expect(lines.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      expect(lines).toContain('é😀');
    },
  );

  test('is still the same value in JSON', async () => {
    expect(JSON.parse(await logged('json', exchange(record))).path).toBe(evil);
  });
});

describe('a stream that fails', () => {
  test('silences the log and nothing else', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).resetAndDestroy()).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    const stream = connect(address.port, '127.0.0.1');
    const log = createLog({ level: 'info', format: 'json', stream, color: false, quiet: false });
    const gone = new Promise((resolve) => stream.once('close', resolve));
    log.exchange(DELIVERED);
    await gone;
    log.exchange(DELIVERED);
    log.error('nobody reads this');
    await log.close();
    log.exchange(DELIVERED);
    server.close();
  });

  test('by throwing loses the lines of that turn only', async () => {
    const stream = new PassThrough();
    stream.write = () => {
      throw new Error('no space left');
    };
    const log = createLog({ level: 'info', format: 'json', stream, color: false, quiet: false });
    for (let line = 0; line < 50; line += 1) log.exchange(DELIVERED);
    await nextTurn();
    Reflect.deleteProperty(stream, 'write');
    log.exchange({ ...DELIVERED, id: 'later' });
    await log.close();
    expect(String(stream.read())).toMatch(/^\{[^\n]*"id":"later"[^\n]*\}\n$/);
  });

  test('because its reader left does not end the process', async () => {
    const child = spawn('head', ['-n', '1'], { stdio: ['pipe', 'ignore', 'ignore'] });
    const log = createLog({ level: 'info', format: 'json', stream: child.stdin, color: false, quiet: false });
    log.exchange(DELIVERED);
    await once(child, 'exit');
    for (let line = 0; line < 5; line += 1) log.exchange(DELIVERED);
    await log.close();
  });
});

test('says how many entries a slow reader missed, where they are missing, and as soon as it reads', async () => {
  const written: string[] = [];
  const release: (() => void)[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write: (lines: string, _encoding, done) => {
      written.push(lines);
      release.push(done);
    },
  });
  const log = createLog({ level: 'info', format: 'json', stream, color: false, quiet: false });
  const entry = { ...DELIVERED, url: `/${'x'.repeat(100_000)}` };
  for (let at = 0; at < 30; at += 1) {
    log.exchange(entry);
    await nextTurn();
  }
  // What was written goes one by one, so that every callback is one more line read.
  while (release.length > 0) {
    const [next] = release.splice(0);
    next?.();
    await nextTurn();
  }
  const before = written.join('').trimEnd().split('\n');
  const { message, dropped } = JSON.parse(before.at(-1) ?? '');
  expect(message).toBe(`the log was not read: ${dropped} entries are missing here`);
  expect(before.length - 1 + dropped).toBe(30);
  expect(dropped).toBeGreaterThan(10);
  log.exchange(DELIVERED);
  const closed = log.close();
  await nextTurn();
  for (let turn = 0; turn < 5; turn += 1) {
    for (const done of release.splice(0)) done();
    await nextTurn();
  }
  expect(await closed).toBe(true);
  expect(written.at(-2)).toContain('"path":"/report"');
});

test('closing twice is closing once, and leaves no listener on a sound stream', async () => {
  const stream = new PassThrough();
  const before = stream.listenerCount('error');
  const log = createLog({ level: 'info', format: 'json', stream, color: false, quiet: false });
  log.exchange(DELIVERED);
  await Promise.all([log.close(), log.close()]);
  expect(stream.listenerCount('error')).toBe(before);
  expect(stream.listenerCount('close')).toBe(0);
  expect(stream.writableEnded).toBe(false);
  log.exchange(DELIVERED);
  expect(String(stream.read()).match(/\n/g)).toHaveLength(1);
});
