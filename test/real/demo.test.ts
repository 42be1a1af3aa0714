// `npm run demo`, run as a user runs it, on the build in dist.

import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { need } from '../harness/need.ts';
import { RunningCommand, runClient } from '../harness/process.ts';
import { whyMissing } from './servers.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
/** What `npm run demo` runs, without the build: other tests use dist meanwhile. */
const DEMO = ['node_modules/.bin/jiti', 'scripts/demo.ts'].map((file) => path.join(ROOT, file));

const lineOf = (output: string, start: string): string =>
  output.split('\n').findLast((line) => line.startsWith(start)) ?? '';

describe('the demo', () => {
  test('shows every response whole through lastbyte, in front of Django', async (context) => {
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
    await using demo = new RunningCommand({ file: process.execPath, args: [...DEMO, '--embedded'] });
    await demo.says(/\| wc -c/);
    const urls = Array.from(demo.stdout.matchAll(/^ {2}(http:\S+) {3}/gm), ([, url = '']) => url);
    const statuses = await Promise.all(urls.map(async (url) => (await fetch(`${url}/bytes/10`)).status));
    expect(statuses).toEqual([200, 200]);
    demo.signal('SIGINT');
    expect((await demo.finished).code).toBe(0);
    for (const url of urls) await expect(fetch(url)).rejects.toThrow('fetch failed');
  });
});
