/** Commands that people copy: what a shell and curl make of them is the request again, to the byte, and nothing else is run. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bodyWriter, shellWord } from '../../src/observe/terminal-text.ts';
import { Client, valueOf } from '../harness/client.ts';
import { Inspected } from '../harness/inspected.ts';
import { need, whyNo, whyNoTerminal } from '../harness/need.ts';
import { RunningCommand } from '../harness/process.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

const SHELLS = ['bash', 'zsh'] as const;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-copied-'));
  writeFileSync(join(folder, 'secret'), 'the content of a file');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What comes before the secret must not reach curl as the name of a file, nor anything in it a terminal. */
const BODIES: readonly (readonly [what: string, body: string])[] = [
  ['a file name', '@/etc/passwd'],
  ['a file of the folder', '@secret'],
  ['the standard input', '@-'],
  ['ETX and a command', 'a\u0003\ntouch ran\n'],
  ['escapes of a terminal', '\u001b[31mred\u001b[0m\u0007\u009b5n'],
  ['quotes, dollars and history', `it's "$HOME" \`id\` \\ !! !x 'a'\\''b'`],
  ['lines', '{\n\t"a": 1\r\n}\n'],
  ['letters of other scripts', 'é漏洞\u202e\u00a0\u2028'],
  ['bytes that are no text', '\xff\xfe\x00\x01binary\n'],
  ['nothing but ends of lines', '\n\n'],
];

describe('the curl of the inspector', () => {
  for (const shell of SHELLS) {
    test.for(BODIES)(`sends the same bytes again from ${shell}: %s`, async ([, text], context) => {
      need(context, whyNo(shell, 'curl'));
      const body = /[^\0-\xff]/.test(text) ? Buffer.from(text) : Buffer.from(text, 'latin1');
      const seen: {
        target: string;
        method: string;
        odd: string | undefined;
        type: string | undefined;
        body: Buffer;
      }[] = [];
      await using inspected = await Inspected.start((connection) => keep(connection, seen));
      const head =
        `PUT /a'b;c?x=$(id)&y=%00 HTTP/1.1\r\nHost: localhost:${inspected.proxy.port}\r\nConnection: close\r\n` +
        `X-Odd: \xe9'"$x!\tz\r\nContent-Length: ${body.length}\r\n\r\n`;
      using client = await Client.connect(inspected.proxy.port);
      await client.send(Buffer.concat([Buffer.from(head, 'latin1'), body]));
      await client.response();
      const { id } = await inspected.proxy.record(0);
      const { curl } = await inspected.full(id);
      if (curl === null) throw new Error('no command');
      expect(curl).toMatch(/^[\x20-\x7e\xa1-\uffff]*$/);
      const { status, stderr } = await run(shell, `${curl} -sS`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(seen).toHaveLength(2);
      expect(seen[1]).toEqual(seen[0]);
      expect(existsSync(join(folder, 'ran'))).toBe(false);
    });
  }

  test('is not offered when only a part of the body is kept', async () => {
    await using inspected = await Inspected.start((connection) => keep(connection, []));
    const id = await inspected.exchange('POST /', 'x'.repeat(100_000));
    expect((await inspected.full(id)).curl).toBeNull();
  });

  test('asks for the server itself, too', async (context) => {
    need(context, whyNo('bash', 'curl'));
    await using inspected = await Inspected.start((connection) => keep(connection, []));
    const { curl } = await inspected.full(await inspected.exchange('OPTIONS *'));
    expect((await run('bash', `${String(curl)} -sS`)).status).toBe(0);
    expect(inspected.upstream.requests.map(({ target }) => target)).toEqual(['*', '*']);
  });
});

async function keep(
  connection: UpstreamConnection,
  seen: { target: string; method: string; odd: string | undefined; type: string | undefined; body: Buffer }[],
): Promise<void> {
  const request = await connection.request();
  if (request === null) return;
  const { target, method, fields } = request;
  const body = await connection.body(Number(valueOf(fields, 'content-length') ?? 0));
  if (body !== null)
    seen.push({ target, method, odd: valueOf(fields, 'x-odd'), type: valueOf(fields, 'content-type'), body });
  await connection.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  connection.fin();
}

/** Asynchronous, because curl speaks to a proxy of this process. */
async function run(shell: string, command: string): Promise<{ status: number | null; stderr: string }> {
  await using running = new RunningCommand({ file: shell, args: ['-c', command], cwd: folder });
  const { code, stderr } = await running.finished;
  return { status: code, stderr };
}

describe('a word', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ min: 1, maxLength: 40 }).map((some) => Buffer.from(some)),
    fc
      .string({
        unit: fc.constantFrom(...'ab\'"$`\\ &;|*?!~#(){}[]<>=\n\t\u0003\u001bé漏'.split('')),
        maxLength: 30,
      })
      .map((text) => Buffer.from(text)),
  );

  test.for(SHELLS)('of any bytes is these bytes for %s', (shell, context) => {
    need(context, whyNo(shell));
    const words = fc.sample(bytes, { numRuns: 300, seed: 1 });
    const { stdout } = spawnSync(shell, [
      '-c',
      `printf '%s\\0' ${words.map((word) => shellWord(word)).join(' ')}`,
    ]);
    expect(stdout.toString('latin1').split('\0').slice(0, -1)).toEqual(
      words.map((word) => word.toString('latin1')),
    );
  });

  test.for(['sh', 'bash', 'zsh'] as const)('or a body that is written by %s', (shell, context) => {
    need(context, whyNo(shell));
    const bodies = [
      ...fc.sample(bytes, { numRuns: 30, seed: 2 }),
      Buffer.from('-n\n'),
      Buffer.from('{"a": "\\n"}\n'),
    ];
    const command = bodies.map((body) => `{ ${bodyWriter(body)}; }; printf '<end>'`).join('\n');
    const { stdout } = spawnSync(shell, ['-c', command]);
    expect(stdout.toString('latin1').split('<end>').slice(0, -1)).toEqual(
      bodies.map((body) => body.toString('latin1')),
    );
  });
});

test('pasted into a terminal, nothing in a command is a key that was pressed', async (context) => {
  need(context, whyNoTerminal(), whyNo('bash'));
  const texts = [
    ...BODIES.map(([, body]) => body),
    `x\u0003\ntouch ${join(folder, 'ran')}\n`,
    '\u0004',
    '\u0015\u0016\t\t',
  ];
  const words = texts.map((text) => shellWord(Buffer.from(text, 'utf8')).replaceAll('\\000', ''));
  const command = `printf '%s|' ${words.join(' ')} > ${join(folder, 'pasted')}`;
  // As a terminal without bracketed paste hands it over: key by key.
  await using terminal = new RunningCommand({
    file: 'script',
    args: ['-qc', 'bash --norc --noprofile -i', '/dev/null'],
    cwd: folder,
    stdin: 'pipe',
    env: { PATH: process.env['PATH'], TERM: 'dumb', HISTFILE: '', LC_ALL: 'C.UTF-8', HOME: folder },
  });
  // Not to its end: what a key makes of the rest may be anything.
  const limit = setTimeout(() => terminal.signal('SIGKILL'), 15_000);
  terminal.child.stdin?.write(`${command}\nexit\n`);
  await terminal.finished;
  clearTimeout(limit);
  const { stdout } = spawnSync('cat', [join(folder, 'pasted')], { encoding: 'utf8' });
  expect(stdout).toBe(texts.map((text) => `${text.replaceAll('\0', '')}|`).join(''));
  expect(existsSync(join(folder, 'ran'))).toBe(false);
});
