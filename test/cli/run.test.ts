import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { lastbyte, startLastbyte } from '../harness/lastbyte.ts';
import { get, startServer, takenPort } from './servers.ts';

const FREE = ['--port', '0', '--admin-port', '0'];

describe('lastbyte target', () => {
  test('names its addresses, and relays', async () => {
    await using upstream = await startServer((_, response) => response.end('whole'));
    await using command = startLastbyte([String(upstream.port), ...FREE]);
    const [, url = '', target, admin = ''] = await command.says(
      /lastbyte \d+\.\d+\.\d+: (http:\S+) -> (http:\S+), admin (http:[^\s"]+)/,
    );
    expect(target).toBe(`http://localhost:${upstream.port}`);
    expect(await get(url)).toEqual({ status: 200, body: 'whole' });
    expect(await get(`${admin}/healthz`)).toMatchObject({ status: 200 });
    await command.says(/"event":"exchange".*"status":200/);
  });

  test('says that nothing listens there yet, and again when a request begins to wait', async () => {
    const gone = await startServer((_, response) => response.end());
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    await using command = startLastbyte([String(port), ...FREE]);
    await command.says(
      new RegExp(`nothing listens at http://localhost:${port} yet \\(127\\.0\\.0\\.1 ECONNREFUSED`),
    );
    const url = await command.url();
    expect(command.stdout).not.toContain('a request is waiting');
    const left = new AbortController();
    const asking = fetch(url, { signal: left.signal }).catch(() => undefined);
    await command.says(/a request is waiting for it, up to 10 s/);
    left.abort();
    await asking;
  });

  test('without an admin port names none', async () => {
    await using upstream = await startServer((_, response) => response.end());
    await using command = startLastbyte([String(upstream.port), '--no-admin', '--port=0']);
    await command.url();
    expect(JSON.parse(command.stdout)).toMatchObject({ event: 'start', admin: null });
    expect(command.stdout).not.toContain(', admin');
  });

  test('says where it listens although no exchange is logged', async () => {
    await using upstream = await startServer((_, response) => response.end('whole'));
    await using command = startLastbyte([String(upstream.port), ...FREE, '--access-log=off']);
    expect(await get(await command.url())).toEqual({ status: 200, body: 'whole' });
    expect(command.stdout.split('\n').length).toBe(2);
  });

  test('is configured by variables', async () => {
    await using upstream = await startServer((_, response) => response.end('by variable'));
    const env = {
      LASTBYTE_TARGET: `localhost:${upstream.port}`,
      LASTBYTE_PORT: '0',
      LASTBYTE_ADMIN: 'false',
    };
    await using command = startLastbyte([], { env });
    expect(await get(await command.url())).toEqual({ status: 200, body: 'by variable' });
  });
});

describe('a proxy that cannot start', () => {
  test('names the port that is in use, and its option', async () => {
    await using taken = await takenPort();
    const finished = await lastbyte(['9', '--port', String(taken.port), '--admin-port', '0']);
    expect(finished).toEqual({
      code: 1,
      stdout: '',
      stderr: `Port ${taken.port} on 127.0.0.1 is in use: choose another with --port, or stop the program that holds it.\n`,
    });
  });

  test('names the admin port when that is the one', async () => {
    await using taken = await takenPort();
    const finished = await lastbyte(['9', '--port', '0', '--admin-port', String(taken.port)]);
    expect(finished).toEqual({
      code: 1,
      stdout: '',
      stderr: `Port ${taken.port} on 127.0.0.1 is in use: choose another with --admin-port, or stop the program that holds it.\n`,
    });
  });

  test.each([
    [['--host', '192.0.2.1'], /^This machine does not have the address 192\.0\.2\.1: .*--host\.\n$/],
    [['--host', 'no-such-name.invalid'], /^The host name no-such-name\.invalid .*--host\.\n$/],
    [['--socket', join(tmpdir(), 'no/such/folder.sock')], /^The socket \S+ cannot be made: .*--socket\.\n$/],
  ])('%j is told in one sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await lastbyte(['9', '--no-admin', '--port', '0', ...args]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(sentence);
  });
});

describe('signals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s finishes what is under way and exits with 0',
    async (signal) => {
      const held = new EventEmitter();
      await using upstream = await startServer(
        (_, response) => void once(held, 'release').then(() => response.end('late')),
      );
      await using command = startLastbyte([String(upstream.port), ...FREE]);
      const url = await command.url();
      const arrival = upstream.nextRequest();
      const answer = get(url);
      await arrival;
      command.child.kill(signal);
      await command.says(
        new RegExp(`${signal}: finishing one exchange under way, up to 10s; a second .* ends at once`),
      );
      held.emit('release');
      expect(await answer).toEqual({ status: 200, body: 'late' });
      expect(await command.finished).toMatchObject({ code: 0, stderr: '' });
    },
  );

  test('the copy of Ctrl-C that npm passes on does not end it at once', async () => {
    const held = new EventEmitter();
    await using upstream = await startServer(
      (_, response) => void once(held, 'release').then(() => response.end('late')),
    );
    await using command = startLastbyte([String(upstream.port), ...FREE]);
    const url = await command.url();
    const arrival = upstream.nextRequest();
    const answer = get(url);
    await arrival;
    command.child.kill('SIGINT');
    command.child.kill('SIGINT');
    await command.says(/SIGINT: finishing/);
    held.emit('release');
    expect(await answer).toEqual({ status: 200, body: 'late' });
    expect(await command.finished).toMatchObject({ code: 0 });
  });

  test('a second one ends everything at once and exits with 1', async () => {
    await using upstream = await startServer(() => undefined);
    await using command = startLastbyte([String(upstream.port), ...FREE, '--shutdown-timeout', '1h']);
    const url = await command.url();
    const arrival = upstream.nextRequest();
    const answer = get(url).catch((error: unknown) => error);
    await arrival;
    command.child.kill('SIGTERM');
    await command.says(/SIGTERM: finishing/);
    const nagging = new AbortController();
    const nag = async (): Promise<void> => {
      for (;;) {
        command.child.kill('SIGTERM');
        await delay(50, undefined, { signal: nagging.signal });
      }
    };
    const nagged = nag().catch(() => undefined);
    // The connection's end is the sign that it was heard: Node lets go of signals as it exits, and one more would kill it.
    const end = answer.then(() => nagging.abort());
    expect(await command.finished).toMatchObject({ code: 1 });
    await end;
    await nagged;
    expect(await answer).toBeInstanceOf(Error);
    expect(command.stdout).toContain('second signal');
  });
});

test('a log reader that leaves does not end the proxy', async () => {
  await using upstream = await startServer((_, response) => response.end('whole'));
  await using command = startLastbyte([String(upstream.port), ...FREE]);
  const url = await command.url();
  command.child.stdout?.destroy();
  for (let round = 0; round < 5; round += 1) {
    expect(await get(url)).toEqual({ status: 200, body: 'whole' });
  }
  command.child.kill('SIGTERM');
  expect(await command.finished).toMatchObject({ code: 0, stderr: '' });
});

test('a unix socket serves as well as a port', async () => {
  await using upstream = await startServer((_, response) => response.end('whole'));
  const socket = join(tmpdir(), `lastbyte-${process.pid}.sock`);
  await using command = startLastbyte([String(upstream.port), '--socket', socket, '--no-admin']);
  expect(await command.url()).toBe(`unix:${socket}`);
  const client = connect(socket).setEncoding('utf8');
  await once(client, 'connect');
  client.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let answer = '';
  for await (const chunk of client) answer += String(chunk);
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*whole$/);
  command.child.kill('SIGTERM');
  expect(await command.finished).toMatchObject({ code: 0, stderr: '' });
  expect(existsSync(socket)).toBe(false);
});
