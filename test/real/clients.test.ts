// Real command-line clients, through lastbyte, in front of real Django and real Flask.

import { createHash } from 'node:crypto';
import path from 'node:path';
import { describe, expect, test, type TestContext } from 'vitest';
import { frontOf } from './front.ts';
import { need, whyNo, type Program } from '../harness/need.ts';
import { numberedBody } from './numbered-body.ts';
import { pythonWith, whyNoPython } from './python.ts';
import { runClient } from '../harness/process.ts';
import { withTempFile } from './temp-file.ts';

const ANSWER = numberedBody(5_000_000);
const ANSWER_PATH = `/bytes/${ANSWER.length}`;
const UPLOAD = numberedBody(100_000);
const LARGE_UPLOAD = numberedBody(8_000_000);

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const echoOf = (bytes: Buffer): { sha256: string; length: number } => ({
  sha256: sha256(bytes),
  length: bytes.length,
});

interface Case {
  readonly what: string;
  readonly args: readonly string[];
  readonly path?: string;
  readonly input?: Buffer;
}

const CLOSE = ['-H', 'Connection: close'];
const CHUNKED = ['-H', 'Transfer-Encoding: chunked'];
const BODY = ['--data-binary', '@-'];

const CURL_CASES: readonly Case[] = [
  { what: 'a GET', args: [] },
  { what: 'a GET with Connection: close', args: CLOSE },
  { what: 'a GET over HTTP/1.0', args: ['--http1.0'] },
  { what: 'a POST', args: [...CLOSE, ...BODY], input: UPLOAD },
  { what: 'a POST over HTTP/1.0', args: ['--http1.0', ...BODY], input: UPLOAD },
  { what: 'a chunked POST', args: [...CLOSE, ...CHUNKED, ...BODY], input: UPLOAD },
  { what: 'a slow GET', args: ['--limit-rate', '20M'] },
  {
    what: 'a slow chunked POST',
    args: [...CLOSE, ...CHUNKED, ...BODY, '--limit-rate', '20M'],
    input: UPLOAD,
  },
];

const CURL_ECHO_CASES: readonly Case[] = [
  { what: 'a POST', args: BODY, input: UPLOAD },
  { what: 'a chunked POST', args: [...CHUNKED, ...BODY], input: UPLOAD },
  { what: 'a chunked PUT from a pipe', args: ['-T', '-'], input: UPLOAD },
  { what: 'a large PUT from a pipe', args: ['-T', '-'], input: LARGE_UPLOAD },
];

const WGET_CASES: readonly Case[] = [
  { what: 'a GET', args: [] },
  { what: 'a GET with Connection: close', args: ['--header', 'Connection: close'] },
  { what: 'a GET without keep-alive', args: ['--no-http-keep-alive'] },
];

describe.each(['Django runserver', 'Flask (Werkzeug)'] as const)('in front of %s', (name) => {
  const front = frontOf(name);
  const urlFor = (context: TestContext, program: Program): string => {
    need(context, whyNo(program));
    return front(context).url;
  };

  test.for(CURL_CASES)('curl: $what gets 5 MB whole', async ({ args, input }, context) => {
    const url = urlFor(context, 'curl');
    const run = await runClient('curl', ['-sS', ...args, url + ANSWER_PATH], input);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    expect(run.stdout.equals(ANSWER)).toBe(true);
  });

  test.for(CURL_ECHO_CASES)('curl: $what reaches the view whole', async ({ args, input }, context) => {
    const url = urlFor(context, 'curl');
    const run = await runClient('curl', ['-sS', ...args, `${url}/echo`], input);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(run.stdout.toString())).toEqual(echoOf(input ?? Buffer.alloc(0)));
  });

  test('curl: an upload that expects 100-continue is told to go on, and reaches the view whole', async (context) => {
    const url = urlFor(context, 'curl');
    const args = [
      '-sS',
      '-v',
      '-H',
      'Expect: 100-continue',
      '--expect100-timeout',
      '30',
      ...BODY,
      `${url}/echo`,
    ];
    const run = await runClient('curl', args, LARGE_UPLOAD);
    expect(run.stderr).toContain('< HTTP/1.1 100 Continue');
    expect(JSON.parse(run.stdout.toString())).toEqual(echoOf(LARGE_UPLOAD));
  });

  test('curl: -I gets the head with the length, and no body', async (context) => {
    const url = urlFor(context, 'curl');
    const run = await runClient('curl', ['-sS', '-I', url + ANSWER_PATH]);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    expect(run.stdout.toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(run.stdout.toString()).toMatch(new RegExp(`\\r\\nContent-Length: ${ANSWER.length}\\r\\n`, 'i'));
  });

  test('curl: two URLs in one call come over one connection', async (context) => {
    const url = urlFor(context, 'curl');
    const run = await runClient('curl', ['-sS', '-v', url + ANSWER_PATH, url + ANSWER_PATH]);
    expect(run.stdout.equals(Buffer.concat([ANSWER, ANSWER]))).toBe(true);
    expect(run.stderr).toContain('Re-using existing connection');
  });

  test.for(WGET_CASES)('wget: $what gets 5 MB whole', async ({ args }, context) => {
    const url = urlFor(context, 'wget');
    const run = await runClient('wget', ['-nv', '--tries=1', '-O', '-', ...args, url + ANSWER_PATH]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout.equals(ANSWER)).toBe(true);
  });

  test('wget: a POST of a file gets 5 MB whole', async (context) => {
    const url = urlFor(context, 'wget');
    await withTempFile(UPLOAD, async (file) => {
      const args = ['-nv', '--tries=1', '-O', '-', `--post-file=${file}`, url + ANSWER_PATH];
      const run = await runClient('wget', args);
      expect(run.code, run.stderr).toBe(0);
      expect(run.stdout.equals(ANSWER)).toBe(true);
    });
  });

  // ab speaks HTTP/1.0, whose connections a proxy must not keep (RFC 9112 section 9.3), and waits for our FIN, which
  // goes out when the linger time is over: few requests, all at once.
  test.for([
    { what: 'without -k', args: [] },
    { what: 'with -k', args: ['-k'] },
  ])('ab $what: GETs and POSTs of a 50 KB answer all succeed', async ({ args }, context) => {
    const url = urlFor(context, 'ab');
    await withTempFile(UPLOAD, async (file) => {
      for (const upload of [[], ['-p', file, '-T', 'text/plain']]) {
        const run = await runClient('ab', [
          '-q',
          '-n',
          '16',
          '-c',
          '16',
          ...args,
          ...upload,
          `${url}/json/50000`,
        ]);
        const report = run.stdout.toString();
        expect(run.code, run.stderr).toBe(0);
        expect(report).toMatch(/^Complete requests:\s+16$/m);
        expect(report).toMatch(/^Failed requests:\s+0$/m);
        expect(report).not.toContain('Non-2xx');
      }
    });
  });

  test("Python's http.client and urllib get every answer whole and send every body whole", async (context) => {
    const python = pythonWith('http.client');
    need(context, whyNoPython('http.client'));
    const script = path.join(import.meta.dirname, 'clients', 'python_clients.py');
    const run = await runClient(python ?? '', [script, front(context).url]);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    const whole = { status: 200, length: ANSWER.length, sha256: sha256(ANSWER) };
    expect(JSON.parse(run.stdout.toString())).toEqual({
      'http.client GET': whole,
      'http.client POST': whole,
      'http.client chunked POST': whole,
      'http.client chunked echo': expect.objectContaining({ status: 200 }),
      'http.client kept connection': [whole, whole, whole],
      'urllib GET': whole,
      'urllib POST': whole,
    });
  });
});
