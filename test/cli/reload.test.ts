import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startLastbyte } from '../harness/lastbyte.ts';
import { get, startServer } from './servers.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-reload-'));
  file = join(folder, 'lastbyte.yaml');
});
afterEach(() => rmSync(folder, { recursive: true }));

const configure = (lines: readonly string[]): void => writeFileSync(file, `${lines.join('\n')}\n`);

const LISTENING = ['port: 0', 'admin: false'];

describe('SIGHUP', () => {
  test('puts a good file in force for the next exchange', async () => {
    await using first = await startServer((_, response) => response.end('first'));
    await using second = await startServer((_, response) => response.end('second'));
    configure([...LISTENING, `target: ${first.port}`]);
    await using command = startLastbyte(['--config', file]);
    const url = await command.url();
    expect(await get(url)).toMatchObject({ body: 'first' });

    configure([...LISTENING, `target: ${second.port}`]);
    command.child.kill('SIGHUP');
    await command.says(/reloaded: target http:\S+ -> http:/);
    expect(await get(url)).toMatchObject({ body: 'second' });
  });

  test('leaves the old settings in force when the file is broken, and tells every fault', async () => {
    await using upstream = await startServer((_, response) => response.end('still'));
    configure([...LISTENING, `target: ${upstream.port}`]);
    await using command = startLastbyte(['--config', 'lastbyte.yaml'], { cwd: folder });
    const url = await command.url();

    configure([...LISTENING, 'target: nowhere', 'retires: 1']);
    command.child.kill('SIGHUP');
    await command.says(/is not in force: the settings from before stay/);
    expect(command.stdout).toContain(
      'not reloaded: lastbyte.yaml:4: retires is not a key of lastbyte. Did you mean retries?',
    );
    expect(command.stdout).toMatch(/not reloaded: lastbyte\.yaml:3: target \S+nowhere\S+ has no port/);
    expect(await get(url)).toMatchObject({ body: 'still' });
  });

  test('names what a restart must put in force, and applies the rest', async () => {
    await using upstream = await startServer((_, response) => response.end('still'));
    configure([...LISTENING, `target: ${upstream.port}`]);
    await using command = startLastbyte(['--config', file]);
    const url = await command.url();

    configure(['port: 1', 'admin: false', `target: ${upstream.port}`, 'access-log: combined']);
    command.child.kill('SIGHUP');
    await command.says(/port is 1 in \S+: it takes a restart/);
    expect(await get(url)).toMatchObject({ body: 'still' });
    await command.says(/"GET \/ HTTP\/1\.1" 200 5/);
  });

  test('without a file has nothing to read, and says so', async () => {
    await using upstream = await startServer((_, response) => response.end('still'));
    await using command = startLastbyte([String(upstream.port), '--port', '0', '--no-admin']);
    const url = await command.url();
    command.child.kill('SIGHUP');
    await command.says(/SIGHUP: nothing to read again/);
    expect(await get(url)).toMatchObject({ body: 'still' });
  });
});
