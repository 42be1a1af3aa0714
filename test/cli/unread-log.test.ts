/** A log that nobody reads costs no memory and holds nobody up; when it is read again, it says what is missing. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';
import { expect, onTestFinished, test } from 'vitest';
import { answering, ok, Upstream } from '../harness/upstream.ts';
import { startLastbyte } from '../harness/lastbyte.ts';

const ENTRIES = 100_000;

/**
 * Logs to a pipe, 100 entries a turn, and tells on stderr what memory that took; then waits for a word to go on.
 *
 * @param logModule the URL of `src/observe/log.ts` as JavaScript
 */
const writer = (logModule: string): string => `
  import { createLog } from ${JSON.stringify(logModule)};
  import { once } from 'node:events';
  import { setImmediate as turn } from 'node:timers/promises';
  const log = createLog({ level: 'info', format: 'json', stream: process.stdout, color: false, quiet: false });
  const url = '/' + 'x'.repeat(1000);
  for (let entry = 0; entry < ${ENTRIES}; entry += 1) {
    log.info(url, { entry });
    if (entry % 100 === 0) await turn();
  }
  await turn();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write(String(heapUsed + external));
  await once(process.stdin, 'data');
  log.info('the last one');
  await log.close();
  process.stdin.destroy();
`;

test('keeps a bounded part of what nobody reads, and says how much is missing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log.js');
  const source = fileURLToPath(new URL('../../src/observe/log.ts', import.meta.url));
  await build({ input: source, platform: 'node', output: { file } });
  const program = writer(pathToFileURL(file).href);
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program]);
  const [usedBytes] = await once(child.stderr, 'data');
  // 100 MB were logged.
  expect(Number(String(usedBytes))).toBeLessThan(60e6);
  const said = text(child.stdout);
  child.stdin.write('go on');
  await once(child, 'exit');
  const entries: { message: string; entry?: number; dropped?: number }[] = (await said)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const kept = entries.filter(({ entry }) => entry !== undefined).length;
  const dropped = entries.reduce((sum, entry) => sum + (entry.dropped ?? 0), 0);
  // The last one as well, if nobody had read by then.
  expect([ENTRIES, ENTRIES + 1]).toContain(kept + dropped);
  expect(dropped).toBeGreaterThan(0);
  expect(entries.map(({ message }) => message)).toContain(
    `the log was not read: ${dropped} entries are missing here`,
  );
});

test('the command ends in order when nobody reads its log', async () => {
  await using upstream = await Upstream.start(answering(ok('x')));
  await using command = startLastbyte([upstream.url, '--port', '0', '--no-admin']);
  const { port } = new URL(await command.url());
  command.child.stdout?.removeAllListeners('data').pause();
  const socket = connect(Number(port), '127.0.0.1');
  let answers = 0;
  const asked = 500;
  const answered = new Promise<void>((resolve) => {
    socket.setEncoding('latin1').on('data', (bytes: string) => {
      answers += bytes.split('HTTP/1.1 200').length - 1;
      if (answers === asked) resolve();
    });
  });
  for (let sent = 0; sent < asked; sent += 1)
    socket.write(`GET /${'x'.repeat(4000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await answered;
  socket.end();
  command.child.kill('SIGTERM');
  const [code] = await once(command.child, 'exit');
  expect(code).toBe(0);
});
