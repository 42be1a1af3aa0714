/** Signals to the real process: what each ends, what it says, and with which exit code. */

import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { BIN, RunningLastbyte, startLastbyte } from '../harness/lastbyte.ts';
import { needForEach, whyNo } from '../harness/need.ts';
import { get, startServer } from './servers.ts';

const FREE = ['--port', '0', '--no-admin', '--access-log', 'json'];

const portOf = (url: string): number => Number(new URL(url).port);

describe('SIGTERM', () => {
  test('at the deadline: 503 for what waits, its line in the log, exit code 0', async () => {
    await using upstream = await startServer(() => undefined);
    await using command = startLastbyte([String(upstream.port), ...FREE, '--shutdown-timeout', '400ms']);
    using client = await Client.connect(portOf(await command.url()));
    const arrival = upstream.nextRequest();
    await client.send('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    await arrival;
    command.child.kill('SIGTERM');
    const { status, body } = await client.response();
    expect([status, body.toString()]).toEqual([503, expect.stringContaining('shutting down')]);
    client.halfClose();
    expect(await command.finished).toMatchObject({ code: 0, stderr: '' });
    expect(command.stdout).toMatch(/"path":"\/slow","status":503.*"error":"shutting_down"/);
  });

  test('without exchanges ends at once, also past a client that never spoke', async () => {
    await using upstream = await startServer((_, response) => response.end());
    await using command = startLastbyte([String(upstream.port), ...FREE, '--shutdown-timeout', '1h']);
    using silent = await Client.connect(portOf(await command.url()));
    command.child.kill('SIGTERM');
    expect(await silent.end()).toBe('fin');
    expect(await command.finished).toMatchObject({ code: 0 });
  });

  test('is followed by no new connection', async () => {
    await using upstream = await startServer(() => undefined);
    await using command = startLastbyte([String(upstream.port), ...FREE, '--shutdown-timeout', '500ms']);
    const port = portOf(await command.url());
    using client = await Client.connect(port);
    const arrival = upstream.nextRequest();
    await client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await arrival;
    command.child.kill('SIGTERM');
    await command.says(/SIGTERM: finishing/);
    const late = connect(port, '127.0.0.1');
    const [error]: unknown[] = await once(late, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect((await client.response()).status).toBe(503);
  });
});

test('the banner is shown with --access-log off too, and no exchange is', async () => {
  await using upstream = await startServer((_, response) => response.end('whole'));
  await using command = startLastbyte([
    String(upstream.port),
    '--port',
    '0',
    '--no-admin',
    '--access-log',
    'off',
  ]);
  expect(await get(await command.url())).toMatchObject({ status: 200 });
  command.child.kill('SIGTERM');
  const { code, stdout } = await command.finished;
  expect(code).toBe(0);
  expect(stdout).not.toContain('GET');
});

test.each([
  ['0.0.0.0', true],
  ['127.0.0.1', false],
])('an admin listener on %s is warned of: %s', async (host, warned) => {
  await using command = startLastbyte(['9', '--port', '0', '--admin-port', '0', '--admin-host', host]);
  await command.url();
  command.child.kill('SIGTERM');
  const { stdout } = await command.finished;
  expect(/"level":"warn".*is open to other machines/.test(stdout)).toBe(warned);
});

test('reloads under load fail no exchange and mix no targets', async () => {
  await using first = await startServer((_, response) => response.end('first'));
  await using second = await startServer((_, response) => response.end('second'));
  const folder = mkdtempSync(join(tmpdir(), 'lastbyte-reload-'));
  const file = join(folder, 'lastbyte.yaml');
  const configure = (port: number): void =>
    writeFileSync(file, `port: 0\nadmin: false\naccess-log: 'off'\ntarget: ${port}\n`);
  try {
    configure(first.port);
    await using command = startLastbyte(['--config', file]);
    const url = await command.url();
    const answers = new Set<string>();
    const reloading = new AbortController();
    const load = async (): Promise<void> => {
      for (let round = 0; !reloading.signal.aborted && round < 2000; round += 1) {
        const { status, body } = await get(url);
        answers.add(`${status} ${body}`);
      }
    };
    const loads = [load(), load(), load(), load()];
    for (let round = 0; round < 10; round += 1) {
      const next = round % 2 === 0 ? second : first;
      configure(next.port);
      command.child.kill('SIGHUP');
      await command.says(new RegExp(`(?:reloaded: target[^]*){${round + 1}}`));
      expect(await get(url)).toEqual({ status: 200, body: next === second ? 'second' : 'first' });
    }
    reloading.abort();
    await Promise.all(loads);
    expect([...answers].sort()).toEqual(['200 first', '200 second']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** A process namespace of our own takes rights that not everybody has. */
const UNSHARE = ['--pid', '--fork', '--kill-child', '--mount-proc'];
const mayUnshare = spawnSync('unshare', [...UNSHARE, 'true']).status === 0;

describe('as process 1', () => {
  needForEach(whyNo('unshare', 'ps'), mayUnshare ? null : '`unshare --pid` is not permitted here.');

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it in order', async (name) => {
    await using upstream = await startServer((_, response) => response.end('whole'));
    // The shell becomes the proxy; its number in the namespace above is that of unshare's only child.
    const run = 'echo "pid $$"; exec "$0" "$@"';
    const args = [...UNSHARE, 'sh', '-c', run, process.execPath, BIN, String(upstream.port), ...FREE];
    await using command = new RunningLastbyte({ file: 'unshare', args, graceMs: 0 });
    expect((await command.says(/pid (\d+)/))[1]).toBe('1');
    expect(await get(await command.url())).toEqual({ status: 200, body: 'whole' });
    const inner = childOf(command.pid);
    process.kill(inner, name);
    await command.says(new RegExp(`${name}: finishing`));
    expect(await command.finished).toMatchObject({ code: 0, stderr: '' });
  });
});

function childOf(pid: number): number {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return Number(stdout.trim());
}
