/** `lastbyte [target] -- command`: the server is started, told where to listen, and ended together with the proxy. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { need } from '../harness/need.ts';
import { BIN, lastbyte, startLastbyte, type RunningLastbyte } from '../harness/lastbyte.ts';
import { RunningCommand } from '../harness/process.ts';
import { freePort } from '../harness/ports.ts';
import { get } from './servers.ts';

const PLAIN = ['--no-admin', '--log-level', 'warn'];

/** A server on PORT that says what it hears; `more` is further code of it. */
const server = (more = ''): readonly string[] => [
  process.execPath,
  '-e',
  `const http = require('node:http');
   const { PORT, HOST } = process.env;
   http.createServer((request, response) => request.url === '/never' ? 0 : response.end(PORT + ' ' + HOST))
     .listen(PORT, HOST, () => console.log('pid ' + process.pid + ' listens'));
   ${more}`,
];

const HEARS = `for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => {
  console.log(process.pid, 'heard', name);
  setTimeout(() => process.exit(5), 700);
});`;

async function front(
  command: readonly string[],
  flags = PLAIN,
): Promise<{ lastbyte: RunningLastbyte; url: string }> {
  const port = await freePort();
  const running = startLastbyte(['--port', String(port), ...flags, '--', ...command]);
  await running.listening(port);
  return { lastbyte: running, url: `http://127.0.0.1:${port}/` };
}

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function gone(pid: number): Promise<boolean> {
  for (let round = 0; round < 250 && runs(pid); round += 1) await delay(20);
  return !runs(pid);
}

test('without a target the command gets a free port and a host, and requests wait until it listens', async () => {
  const { lastbyte: command, url } = await front(server());
  await using _ = command;
  const { status, body } = await get(url);
  expect(status).toBe(200);
  expect(body).toMatch(/^\d+ 127\.0\.0\.1$/);
});

test('with a target it gets no port', async () => {
  const target = await freePort();
  const say = ['sh', '-c', 'echo "port <$PORT>"'];
  const { stdout, code } = await lastbyte([String(target), '--port', '0', ...PLAIN, '--', ...say]);
  expect({ stdout, code }).toEqual({ stdout: 'port <>\n', code: 0 });
});

test('its output goes where it writes it, and the lines of lastbyte to stderr', async () => {
  const { lastbyte: command, url } = await front(server(`console.error('to stderr');`), ['--no-admin']);
  await using _ = command;
  await get(url);
  command.child.kill('SIGTERM');
  const { stdout, stderr } = await command.finished;
  expect(stdout).toMatch(/^pid \d+ listens\n$/);
  expect(stderr).toContain('to stderr\n');
  expect(stderr).toContain('"event":"exchange"');
});

describe('its end is the end of lastbyte, and its exit code', () => {
  test.each([
    ['exit 0', 0],
    ['exit 7', 7],
    ['kill -9 $$', 137],
    ['kill -15 $$', 143],
  ])('%s', async (script, expected) => {
    const { code } = await lastbyte(['--port', '0', ...PLAIN, '--', 'sh', '-c', script]);
    expect(code).toBe(expected);
  });

  test('an exchange that it leaves without a response is refused, and not waited for', async () => {
    const { lastbyte: command, url } = await front(server(`setTimeout(() => process.exit(5), 1500);`));
    await using _ = command;
    await get(url);
    const { status, body } = await get(`${url}never`);
    expect(status).toBe(503);
    expect(body).toContain('The upstream has exited, and lastbyte exits with it. ');
    expect(await command.finished).toMatchObject({ code: 5 });
  });

  test('what it has started and left behind is ended too', async () => {
    const leaves = ['sh', '-c', 'sleep 600 & echo "left $!"'];
    const { stdout, code } = await lastbyte(['--port', '0', ...PLAIN, '--', ...leaves]);
    expect(code).toBe(0);
    expect(await gone(Number(/left (\d+)/.exec(stdout)?.[1]))).toBe(true);
  });
});

describe('a command that cannot be run', () => {
  test.each([
    [['no-such-command'], 127, 'There is no command no-such-command: '],
    [[''], 127, 'There is no command "": '],
    [[`${import.meta.filename}/x`], 126, 'cannot be run: a part of its path is no folder.'],
    [['a'.repeat(5000)], 126, 'cannot be run: ENAMETOOLONG.'],
    [['/tmp'], 126, 'The command /tmp cannot be run: it is a folder, or not executable.'],
  ])('%j exits with %d and one sentence', async (command, code, sentence) => {
    const finished = await lastbyte(['--port', '0', ...PLAIN, '--', ...command]);
    expect(finished).toMatchObject({ code, stdout: '' });
    expect(finished.stderr).toContain(sentence);
    expect(finished.stderr.trim().split('\n')).toHaveLength(1);
  });

  test('a script whose own program is missing is not called missing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
    try {
      const script = join(folder, 'script');
      writeFileSync(script, '#!/no/such/program\n', { mode: 0o755 });
      const { code, stderr } = await lastbyte(['--port', '0', ...PLAIN, '--', script]);
      expect(code).toBe(126);
      expect(stderr).toContain('the program that its first line (#!) names is not there.');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    [
      ['8000', '--'],
      '--: has no command after it. Add the command that starts your server, or leave out --.',
    ],
    [
      ['print-config', '--', 'x'],
      '--: cannot be used with lastbyte print-config. Leave it out, or write lastbyte without print-config.',
    ],
  ])('%j is bad usage', async (args, sentence) => {
    expect(await lastbyte(args)).toEqual({
      code: 2,
      stdout: '',
      stderr: `lastbyte: one fault in the configuration\n  ${sentence}\n`,
    });
  });
});

describe('signals', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s reaches the command and what it has started, once',
    async (signal) => {
      const withChild = `${HEARS} require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(
        `${HEARS} console.log('second'); setInterval(() => 0, 1000)`,
      )}], { stdio: 'inherit' });`;
      const { lastbyte: command, url } = await front(server(withChild));
      await using _ = command;
      await get(url);
      await command.says(/second/);
      command.child.kill(signal);
      // npm's own copy of it, as after Ctrl-C in a terminal.
      if (signal === 'SIGINT') command.child.kill(signal);
      const { code, stdout } = await command.finished;
      const heard = stdout.match(/\d+ heard SIG\w+/g) ?? [];
      // A SIGTERM for what the command has left behind may follow it.
      expect(heard.filter((line) => line.endsWith(signal))).toHaveLength(2);
      expect(code).toBe(5);
    },
  );

  test('a command that ignores SIGTERM is killed after the shutdown timeout', async () => {
    const ignores = server(`process.on('SIGTERM', () => console.log('ignored'));`);
    const { lastbyte: command, url } = await front(ignores, [...PLAIN, '--shutdown-timeout', '300ms']);
    await using _ = command;
    await get(url);
    const [, pid] = await command.says(/pid (\d+) listens/);
    command.child.kill('SIGTERM');
    const { code, stdout } = await command.finished;
    expect(stdout).toContain('ignored');
    expect(code).toBe(137);
    expect(runs(Number(pid))).toBe(false);
  });

  test('SIGKILL to lastbyte leaves nothing running', async () => {
    const { lastbyte: command, url } = await front(server(`process.on('SIGTERM', () => 0);`));
    await using _ = command;
    await get(url);
    const [, pid] = await command.says(/pid (\d+) listens/);
    command.child.kill('SIGKILL');
    expect(await gone(Number(pid))).toBe(true);
  });
});

test('a port that is in use is told before the command is started', async () => {
  const { lastbyte: command, url } = await front(server());
  await using _ = command;
  const { port } = new URL(url);
  const second = await lastbyte(['--port', port, ...PLAIN, '--', 'sh', '-c', 'echo started']);
  expect(second).toMatchObject({ code: 1, stdout: '' });
  expect(second.stderr).toContain(`Port ${port} on 127.0.0.1 is in use`);
});

test('that nothing listens where it was told to is said, with what helps', async () => {
  const port = await freePort();
  const args = ['--port', String(port), '--no-admin', '--wait-for-upstream', '0', '--', 'sleep', '600'];
  await using command = startLastbyte(args);
  await command.listening(port);
  for (let round = 0; round < 400 && !command.stderr.includes('nothing listens'); round += 1) await delay(50);
  expect(command.stderr).toMatch(
    /nothing listens at http:\/\/localhost:(\d+) yet .*sleep was given PORT=\1: if it does not read that, name the port that it takes/,
  );
});

/** A terminal of its own, in which python3 types. */
const TYPES = `
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b''
def until(word):
    global seen
    deadline = time.time() + 20
    while word not in seen and time.time() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                return
until(b'name?'); os.write(terminal, b'joe\\n')
until(b'hello joe'); os.write(terminal, b'\\x03')
until(b'never said')
print(seen.decode()); print('code', os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

const ASKS = `
import signal, sys, time
heard = 0
def hear(*_):
    global heard
    heard += 1
signal.signal(signal.SIGINT, hear)
print('terminal', sys.stdin.isatty(), sys.stdout.isatty(), flush=True)
print('hello', input('name?'), flush=True)
while heard == 0: time.sleep(0.05)
time.sleep(1.5)
sys.exit(40 + heard)
`;

const noPython =
  spawnSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode']).status === 0
    ? null
    : 'There is no python3 with pty (Debian: apt-get install python3).';

test('in a terminal the command can ask, and Ctrl-C comes once', async (context) => {
  need(context, noPython);
  const line = [process.execPath, BIN, '--port', '0', ...PLAIN, '--', 'python3', '-c', ASKS];
  await using terminal = new RunningCommand({ file: 'python3', args: ['-c', TYPES, ...line] });
  const { stdout } = await terminal.finished;
  expect(stdout).toContain('terminal True True');
  expect(stdout).toContain('hello joe');
  expect(stdout).toContain('code 41');
});
