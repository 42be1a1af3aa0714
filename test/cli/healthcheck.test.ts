import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bare } from '../harness/bare.ts';
import { lastbyte, startLastbyte } from '../harness/lastbyte.ts';
import type { Finished } from '../harness/process.ts';
import { freePort } from '../harness/ports.ts';
import { startServer, type TestServer } from './servers.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-health-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A proxy in front of `target`, and the port of its admin listener. */
async function started(target: number, flags: readonly string[] = ['--admin-port', '0']) {
  const command = startLastbyte([String(target), '--port', '0', ...flags]);
  const [, port = ''] = await command.says(/, admin http:\/\/\S+:(\d+)/);
  return { port, [Symbol.asyncDispose]: () => command[Symbol.asyncDispose]() };
}

const upstream = (): Promise<TestServer> => startServer((_, response) => response.end('whole'));

describe('a proxy that lives is healthy', () => {
  test.each([
    ['a port', (port: string) => port],
    ['host:port', (port: string) => `localhost:${port}`],
    ['a URL', (port: string) => `http://127.0.0.1:${port}/`],
    ['the URL of the page', (port: string) => `http://127.0.0.1:${port}/healthz`],
    ['the address that stands for all', (port: string) => `0.0.0.0:${port}`],
  ])('at an address given as %s', async (_, written) => {
    await using server = await upstream();
    await using proxy = await started(server.port);
    const { code, stdout, stderr } = await lastbyte(['healthcheck', written(proxy.port)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^http://\\S+:${proxy.port}/healthz answers 200\\.\\n$`));
  });

  test.each(['0.0.0.0', '::', '127.0.0.1'])(
    'at the address of its own settings, by flag, variable and file: admin-host %s',
    async (host) => {
      await using server = await upstream();
      await using proxy = await started(server.port, ['--admin-port', '0', '--admin-host', host]);
      const { port: adminPort } = proxy;
      const flags = ['--admin-port', adminPort, '--admin-host', host];
      writeFileSync(join(folder, 'lastbyte.yaml'), `admin-host: "${host}"\nadmin-port: ${adminPort}\n`);
      const env = { LASTBYTE_ADMIN_HOST: host, LASTBYTE_ADMIN_PORT: adminPort };
      const answers: readonly Finished[] = [
        await lastbyte(['healthcheck', ...flags]),
        await lastbyte(['healthcheck'], { env }),
        await lastbyte(['healthcheck', '--config', 'lastbyte.yaml'], { cwd: folder }),
      ];
      const healthy = { code: 0, stdout: `http://127.0.0.1:${adminPort}/healthz answers 200.\n`, stderr: '' };
      expect(answers).toEqual([healthy, healthy, healthy]);
    },
  );

  test('at a port of this machine, also when the admin listener is on ::1 alone', async () => {
    await using server = await upstream();
    await using proxy = await started(server.port, ['--admin-port', '0', '--admin-host', '::1']);
    expect(await lastbyte(['healthcheck', proxy.port])).toEqual({
      code: 0,
      stdout: `http://localhost:${proxy.port}/healthz answers 200.\n`,
      stderr: '',
    });
  });

  test('although its upstream is gone; --ready tells that', async () => {
    const server = await upstream();
    await using proxy = await started(server.port);
    expect(await lastbyte(['healthcheck', proxy.port, '--ready'])).toMatchObject({
      code: 0,
      stdout: `http://localhost:${proxy.port}/readyz answers 200.\n`,
    });
    await server[Symbol.asyncDispose]();
    expect(await lastbyte(['healthcheck', proxy.port])).toMatchObject({ code: 0, stderr: '' });
    expect(await lastbyte(['healthcheck', proxy.port, '--ready'])).toEqual({
      code: 1,
      stdout: '',
      stderr: `http://localhost:${proxy.port}/readyz answers 503: lastbyte runs, but its upstream takes no connections; see that it runs, and --target.\n`,
    });
  });
});

describe('what is not healthy exits with 1, and one sentence names the address, what happened and what helps:', () => {
  const REMEDY =
    'see that lastbyte runs, that --admin-host and --admin-port are the same here as there, and that it has no --no-admin.\n';

  test('a port where nobody listens', async () => {
    const port = await freePort();
    expect(await lastbyte(['healthcheck'], { env: { LASTBYTE_ADMIN_PORT: String(port) } })).toEqual({
      code: 1,
      stdout: '',
      stderr: `http://127.0.0.1:${port}/healthz refuses connections: ${REMEDY}`,
    });
  });

  test('a port of this machine where nobody listens, in either family', async () => {
    const { code, stderr } = await lastbyte(['healthcheck', String(await freePort())]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\/healthz refuses connections \(127\.0\.0\.1 ECONNREFUSED, ::1 E\w+\): see/);
  });

  const broken: readonly (readonly [string, (socket: Socket) => void, RegExp])[] = [
    ['takes the request and never answers', () => undefined, /did not answer within 2 s: it hangs/],
    [
      'answers one byte at a time and never ends its head',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const drip = setInterval(() => socket.write('a'), 50);
        socket.on('close', () => clearInterval(drip));
      },
      /did not answer within 2 s: it hangs/,
    ],
    ['closes without a response', (socket) => socket.end(), /closed the connection without a response: see/],
    ['does not speak HTTP', (socket) => socket.end('SSH-2.0-x\r\n'), /cannot be asked \(HPE_\w+\): see/],
    [
      'answers 404',
      (socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
      /answers 404, not 200: that may be another program; see/,
    ],
  ];
  test.each(broken)('a server that %s', async (_, behave, sentence) => {
    await using server = await Bare.start(
      createServer((socket) => {
        socket.on('error', () => undefined).once('data', () => behave(socket));
      }),
    );
    const { code, stdout, stderr } = await lastbyte(['healthcheck', server.url]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.startsWith(`${server.url}/healthz `)).toBe(true);
    expect(stderr).toMatch(sentence);
    expect(stderr.split('\n').length).toBe(2);
  });

  test('a server whose whole response never ends is healthy: its head was enough', async () => {
    await using server = await Bare.start(
      createHttpServer((_, response) => response.writeHead(200, { 'content-length': 9 }).write('o')),
    );
    expect(await lastbyte(['healthcheck', server.url])).toMatchObject({ code: 0, stderr: '' });
  });

  test('a name without an address', async () => {
    const { code, stderr } = await lastbyte(['healthcheck', 'no-such-name.invalid:8081']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^http:\/\/no-such-name\.invalid:8081\/healthz (has a host name|cannot be asked)/);
  });

  test('an admin listener that is turned off', async () => {
    writeFileSync(join(folder, 'off.yaml'), 'admin: false\n');
    const off = {
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/turned off: leave --no-admin out, or /),
    };
    expect(await lastbyte(['healthcheck', '--no-admin'])).toEqual(off);
    expect(await lastbyte(['healthcheck', '--config', 'off.yaml'], { cwd: folder })).toEqual(off);
  });

  test('a port that only the proxy knows', async () => {
    const { code, stderr } = await lastbyte(['healthcheck', '--admin-port', '0']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The admin listener's port is not known, .*: lastbyte healthcheck 8081\.\n$/);
  });
});

describe('bad usage exits with 2 before anybody is asked:', () => {
  test.each([
    [['8081', '8082'], 'argument 8082: is one argument too many. Write only one address.'],
    [
      ['https://x:1'],
      'argument url: "https://x:1" is not a plain HTTP address. The admin port speaks nothing else: write 8081 or http://127.0.0.1:8081.',
    ],
    [['nonsense'], /^argument url: "nonsense" has no port\. Write it as /],
    [['--admin-prot=1'], '--admin-prot: is not a flag of lastbyte healthcheck. Did you mean --admin-port?'],
    [['--admin-port', 'x'], '--admin-port: "x" is not a whole number. Write digits only.'],
    [['--config'], '--config: has no value. Write the path of one YAML or JSON file.'],
    [['--ready=no'], '--ready: "no" is neither true nor false. Write true or false.'],
    [
      ['--config', 'none.yaml'],
      '--config: "none.yaml" does not exist. Write the path of a YAML or JSON file.',
    ],
  ])('%j', async (args, sentence) => {
    const { code, stdout, stderr } = await lastbyte(['healthcheck', ...args], { cwd: folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const [, first = ''] = stderr.split('\n  ');
    if (typeof sentence === 'string') expect(first.trimEnd()).toBe(sentence);
    else expect(first.trimEnd()).toMatch(sentence);
  });

  test('healthcheck after a target', async () => {
    const { code, stderr } = await lastbyte(['8000', 'healthcheck']);
    expect(code).toBe(2);
    expect(stderr).toContain('argument healthcheck: is one argument too many');
  });
});

test('healthcheck --help says what it asks, in 100 columns', async () => {
  for (const flag of ['--help', '-h']) {
    const { code, stdout, stderr } = await lastbyte(['healthcheck', flag]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('--ready');
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  }
});
