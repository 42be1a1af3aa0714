// `npm run demo`, run as a user runs it, on the build in dist.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { need } from './need.ts';
import { runClient } from './run-client.ts';
import { whyMissing } from './servers.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
/** What `npm run demo` runs, without the build: other tests use dist meanwhile. */
const DEMO = ['node_modules/.bin/jiti', 'scripts/demo.ts'].map((file) => path.join(ROOT, file));

const lineOf = (output: string, start: string): string =>
  output.split('\n').findLast((line) => line.startsWith(start)) ?? '';

describe('the demo', () => {
  test('shows every answer whole through lastbyte, in front of Django', async (context) => {
    need(context, whyMissing('Django runserver'));
    const run = await runClient(process.execPath, [...DEMO, '--once']);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    const output = run.stdout.toString();
    expect(output).toContain('Django runserver listens on http://127.0.0.1:');
    expect(lineOf(output, 'through lastbyte')).toMatch(/^through lastbyte +20 +0 +0 +whole, each time$/);
    expect(output).toContain('Why: ');
  });

  test('without Django it says so and stands on a server that needs Node alone', async () => {
    const run = await runClient(process.execPath, [...DEMO, '--once', '--embedded']);
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' });
    const output = run.stdout.toString();
    expect(output).toContain("Node's http listens on http://127.0.0.1:");
    expect(lineOf(output, 'through lastbyte')).toMatch(/^through lastbyte +20 +0 +0 +whole, each time$/);
  });

  test('leaves both running until Ctrl-C, and nothing after it', async () => {
    const demo = spawn(process.execPath, [...DEMO, '--embedded'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(demo, 'exit');
    const urls: string[] = [];
    for await (const line of createInterface({ input: demo.stdout })) {
      const url = /^ {2}(http:\S+) {3}/.exec(line)?.[1];
      if (url !== undefined) urls.push(url);
      if (line.includes('| wc -c')) break;
    }
    const statuses = await Promise.all(urls.map(async (url) => (await fetch(`${url}/bytes/10`)).status));
    expect(statuses).toEqual([200, 200]);
    demo.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    for (const url of urls) await expect(fetch(url)).rejects.toThrow('fetch failed');
  });
});
