import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { Bare } from '../harness/bare.ts';
import { faultless } from '../harness/asked.ts';
import { selfSigned } from '../harness/self-signed.ts';
import { need, whyNo } from '../harness/need.ts';
import { ok, Upstream } from '../harness/upstream.ts';
import { lastbyte } from '../harness/lastbyte.ts';

const WHOLE = ok('line of response.\n'.repeat(20_000));
const ANSWER_BYTES = 360_000;
/** Quick, and enough to see the fault of these servers. */
const QUICK = ['--tries', '3', '--scenario', 'get-kept,get-closed,length-closed,chunked-closed'];

/** Cuts each response to a request with a body. */
const careless = (socket: Socket): void => {
  socket.on('error', () => undefined);
  socket.on('data', (head) => {
    const hasBody = /^(content-length|transfer-encoding)/im.test(head.toString('latin1'));
    if (hasBody) socket.pause().write(WHOLE.slice(0, 200_000), () => socket.resetAndDestroy());
    else socket.write(WHOLE);
  });
};

const startCareless = () => Bare.start(createServer(careless));

describe('the exit code', () => {
  test('is 0 when no fault was found', async () => {
    await using upstream = await Upstream.start(faultless(WHOLE));
    const { code, stdout, stderr } = await lastbyte(['diagnose', `${upstream.port}/report`, ...QUICK]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/No fault found\.\n12 of 12 .*the largest 360\.0 kB, and no connection/);
    expect(stdout).toMatch(/GET, chunked body, close +3 of 3 +FIN\n/);
  });

  test('is 1 when one was found, and the report says what, why, and what helps', async () => {
    await using server = await startCareless();
    const { code, stdout, stderr } = await lastbyte(['diagnose', server.url, ...QUICK]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toMatch(/Fault found\.\n\nFAULT Resets the connection/);
    for (const label of ['Why', 'Cure', 'Fix in the server']) expect(stdout).toContain(`\n  ${label}: `);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });

  test.each([
    [[], 'argument url: is missing. Write the address to diagnose: http://127.0.0.1:8000/report.'],
    [['ftp://x/'], 'argument url: "ftp://x/" has the scheme ftp. Use http or https, for WebSockets too.'],
    [
      ['http://u:secret@x/'],
      'argument url: "http://***@x/" contains credentials. Remove them: each client sends its own Authorization header.',
    ],
    [
      ['8000/a b'],
      'argument url: "8000/a b" contains a character that a request line cannot have. Percent-encode it, e.g. %20 for a space.',
    ],
    [['8000', '8001'], 'argument 8001: is one argument too many. Write only one address.'],
    [['8000', '--tires', '3'], '--tires: is not a flag of lastbyte diagnose. Did you mean --tries?'],
    [['8000', '--tries', '0'], '--tries: "0" is below the minimum of 1. Use 1 to 1000.'],
    [
      ['8000', '--timeout', '0'],
      '--timeout: "0" sets no limit. Write a time such as 500ms or 5s, because a diagnosis has to end.',
    ],
    [
      ['8000', '--method', 'TRACE'],
      '--method: "TRACE" cannot be diagnosed. Write a method such as GET or POST.',
    ],
    [
      ['8000', '--header', 'Connection: close'],
      '--header: "Connection: close" is set by each scenario. Leave out connection, content-length, expect, transfer-encoding.',
    ],
    [
      ['8000', '--scenario', 'get-close'],
      '--scenario: "get-close" is not a scenario. Did you mean get-closed?',
    ],
    [
      ['8000', '--json', '--curl'],
      '--curl: cannot be combined with --json. Keep one of them: the JSON report includes the command.',
    ],
    [
      ['8000', '--data', '@no-such-file'],
      /^ {2}--data: names a file that does not exist\. Write the path after the @\.$/m,
    ],
  ])('is 2 for bad usage, and %j is told in one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await lastbyte(['diagnose', ...args], { cwd: tmpdir() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^lastbyte: one fault on the command line\n/);
    if (typeof sentence === 'string') expect(stderr.split('\n')[1]).toBe(`  ${sentence}`);
    else expect(stderr).toMatch(sentence);
  });

  test('is 2 for the flags of lastbyte itself', async () => {
    const { code, stderr } = await lastbyte(['--port', '0', 'diagnose', '8000']);
    expect(code).toBe(2);
    expect(stderr).toContain('--port: is not a flag of lastbyte diagnose.');
  });
});

describe('the exit code is 3 when the server could not be reached, and one sentence says why:', () => {
  const unreachable = async (url: string, ...more: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await lastbyte(['diagnose', url, ...QUICK, ...more]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    return stderr;
  };

  test('a port where nobody listens', async () => {
    const upstream = await Upstream.start(faultless(WHOLE));
    const { url } = upstream;
    await upstream[Symbol.asyncDispose]();
    expect(await unreachable(url)).toBe(
      `Not reachable.\n${url} refused the connection. Start the server, or check the port.\n`,
    );
  });

  test('a name without an address', async () => {
    expect(await unreachable('http://no-such-name.invalid/')).toMatch(/has a host name /);
  });

  test('a socket that is not there', async () => {
    expect(await unreachable('unix:/no/such.sock:/report')).toContain(
      'unix:/no/such.sock has no socket file.',
    );
  });

  test('plain HTTP where TLS was asked', async () => {
    await using upstream = await Upstream.start(faultless(WHOLE));
    expect(await unreachable(`https://127.0.0.1:${upstream.port}/`, '--connect-timeout', '300ms')).toMatch(
      /use\s+http:\/\/ instead of https:\/\//,
    );
  });

  test('a certificate that nobody vouches for, until it is accepted', async (context) => {
    need(context, whyNo('openssl'));
    const certificate = selfSigned();
    await using server = await Bare.start(
      createTlsServer({ ...certificate }, (socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(WHOLE));
      }),
    );
    const url = `https://localhost:${server.port}/`;
    expect(await unreachable(url)).toMatch(
      /has a self-signed certificate \([\d.: ]*DEPTH_ZERO_SELF_SIGNED_CERT\)/,
    );
    const accepted = await lastbyte([
      'diagnose',
      url,
      '--tries',
      '1',
      '--scenario',
      'get-closed',
      '--insecure',
    ]);
    expect(accepted).toMatchObject({ code: 0 });
  });

  test('the lastbyte that was to be compared', async () => {
    await using upstream = await Upstream.start(faultless(WHOLE));
    const gone = await Upstream.start(faultless(WHOLE));
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    expect(await unreachable(upstream.url, '--through', String(port))).toContain(
      `http://localhost:${port} refused the connection (127.0.0.1 ECONNREFUSED, ::1 E`,
    );
  });
});

test('somebody who watches sees how far it is, on one line that is gone afterwards', async () => {
  await using upstream = await Upstream.start(faultless(WHOLE));
  const stdout = new PassThrough().setEncoding('utf8');
  const stderr = Object.assign(new PassThrough().setEncoding('utf8'), { isTTY: true, columns: 40 });
  const args = ['diagnose', upstream.url, '--scenario', 'get-closed,chunked-closed', '--tries', '2'];
  const code = await main(args, {}, { stdout, stderr });
  expect(code).toBe(0);
  expect(String(stdout.read())).not.toContain('\u001b');
  const lines = String(stderr.read()).split('\r\u001b[K');
  expect(lines).toEqual([
    '',
    '[1/2] no body, close: try 1 of 2',
    '[1/2] no body, close: try 2 of 2',
    '[2/2] chunked body, close: try 1 of 2',
    '[2/2] chunked body, close: try 2 of 2',
    '',
  ]);
});

describe('--json', () => {
  test('is one document with the fields that it promises', async () => {
    await using server = await startCareless();
    const { code, stdout, stderr } = await lastbyte(['diagnose', server.url, ...QUICK, '--json']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const report: unknown = JSON.parse(stdout);
    expect(report).toMatchObject({
      schema: 1,
      url: `${server.url}/`,
      method: 'GET',
      bodyBytes: 1_048_576,
      unsafeRequests: 0,
      tries: 3,
      verdict: 'fault',
      notRun: [],
      through: null,
    });
    expect(report).toHaveProperty('scenarios.0.direct.tries', 3);
    expect(report).toHaveProperty('scenarios.3.direct.outcomes.cut-reset');
    expect(report).toHaveProperty('scenarios.3.direct.expectedBytes', ANSWER_BYTES);
  });

  test('says how often an unsafe method was sent, on stderr before it is', async () => {
    await using upstream = await Upstream.start(faultless(WHOLE));
    const args = ['diagnose', upstream.url, ...QUICK, '--json', '--method', 'post', '--data', 'a=1'];
    const { code, stdout, stderr } = await lastbyte(args);
    expect(code).toBe(0);
    expect(stderr).toBe(
      'POST is not a safe method: up to 6 of them will be sent, each with its side effects.\n',
    );
    expect(JSON.parse(stdout)).toMatchObject({ method: 'POST', bodyBytes: 3, unsafeRequests: 6 });
    expect(upstream.requests.filter(({ method }) => method === 'POST')).toHaveLength(6);
  });
});

describe('--curl', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lastbyte-curl-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const bash = async (command: string): Promise<{ stdout: string; stderr: string }> =>
    await promisify(execFile)('bash', ['-c', `${command}\ntrue`]);

  test.for([
    [[]],
    [['--method', 'POST', '--header', "X-Quoted: it's", '--data', "it's a body"]],
    [['--method', 'PUT', '--data', '@body.bin']],
  ])('writes a command that shows the fault, with %j', async ([more = []], context) => {
    need(context, whyNo('bash', 'curl'));
    writeFileSync(join(folder, 'body.bin'), Buffer.from([0, 1, 2, 255, 39, 10]));
    const requests: string[] = [];
    await using server = await Bare.start(
      createServer((socket) => {
        careless(socket);
        socket.once('data', (head) => requests.push(head.toString('latin1')));
      }),
    );
    const finished = await lastbyte(['diagnose', server.url, ...QUICK, ...more, '--curl'], { cwd: folder });
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain('Fault found.');
    requests.length = 0;
    const { stdout, stderr } = await bash(finished.stdout);
    expect(stdout.match(/^\d{3}, \d+ bytes$/gm)).toHaveLength(10);
    expect(stderr.match(/^curl: \((18|55|56)\)/gm)).toHaveLength(10);
    expect(requests).toHaveLength(10);
    for (const header of more.filter((word) => word.startsWith('X-'))) {
      expect(requests[0]?.toLowerCase()).toContain(header.toLowerCase());
    }
  });

  test('writes nothing when there is nothing to show', async () => {
    await using upstream = await Upstream.start(faultless(WHOLE));
    const { code, stdout, stderr } = await lastbyte(['diagnose', upstream.url, ...QUICK, '--curl']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain('No fault found.');
  });
});

describe('diagnose --help', () => {
  test('names every flag and the exit codes, in 100 columns', async () => {
    const { code, stdout, stderr } = await lastbyte(['diagnose', '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const flag of [
      'tries',
      'method',
      'header',
      'data',
      'body-size',
      'through',
      'json',
      'curl',
      'scenario',
    ]) {
      expect(stdout).toContain(`--${flag} `);
    }
    expect(stdout).toContain('0 no fault found, 1 fault found, 2 bad usage, 3 server unreachable');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  test('is named by lastbyte --help', async () => {
    const { stdout } = await lastbyte(['--help']);
    expect(stdout).toContain('lastbyte diagnose ');
  });
});
