/** The diagnosis of real servers, which do not read the request body: which of them cut their responses is known. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createProxy, diagnose } from '../../src/index.ts';
import { need, whyNo } from '../harness/need.ts';
import { SERVER_NAMES, startServer, whyMissing } from './servers.ts';

const PATH = '/bytes/5000000';
/** Those that read a body to its end, or close only after the client; all others cut. */
const CLEAN = /waitress|aiohttp|php|puma/i;
/** The scenarios that show the fault, and what tells it from others. */
const SCENARIOS = ['get-kept', 'get-slow', 'length-slow', 'length-withheld', 'chunked-slow'];
const OPTIONS = { method: 'POST', tries: 2, scenarios: SCENARIOS } as const;

describe.each(SERVER_NAMES)('%s', (name) => {
  test(`is found ${CLEAN.test(name) ? 'to have no fault' : 'to reset with the body unread, and its cure is named'}`, async (context) => {
    need(context, whyMissing(name));
    await using server = await startServer(name);
    const report = await diagnose(`${server.url}${PATH}`, OPTIONS);
    const faults = report.findings.filter(({ severity }) => severity === 'fault');
    expect(faults.map(({ code }) => code)).toEqual(CLEAN.test(name) ? [] : ['unread-body']);
    expect(report.verdict).toBe(CLEAN.test(name) ? 'no-fault' : 'fault');
    if (faults.length > 0) expect(faults[0]?.cure).toMatch(/^lastbyte avoids it by /);
    for (const { name: scenario, direct } of report.scenarios) {
      if (!scenario.startsWith('get-') && scenario !== 'length-withheld') continue;
      expect({ scenario, whole: direct.whole }).toEqual({ scenario, whole: direct.tries });
    }
  });
});

test('its curl command shows the fault of Django, run by bash', async (context) => {
  need(context, whyMissing('Django runserver'), whyNo('curl'));
  await using server = await startServer('Django runserver');
  const { curl } = await diagnose(`${server.url}${PATH}`, OPTIONS);
  const { stdout, stderr } = await promisify(execFile)('bash', ['-c', `${curl ?? 'false'}\ntrue`]);
  // A race, which curl wins in some of its ten tries.
  expect(stdout.match(/^200, \d+ bytes$/gm)).toHaveLength(10);
  expect(stdout).toMatch(/^200, [1-4]\d{6} bytes$/m);
  expect(stderr).toMatch(/^curl: \(5[56]\)/m);
});

test('beside a lastbyte, nothing of the fault is left', async (context) => {
  need(context, whyMissing('Django runserver'));
  await using server = await startServer('Django runserver');
  await using proxy = createProxy({ target: server.url, port: 0, admin: false });
  await proxy.start();
  const report = await diagnose(`${server.url}${PATH}`, { ...OPTIONS, through: proxy.url });
  expect(report.verdict).toBe('fault');
  expect(report.through?.findings).toEqual([]);
  expect(report.through?.summary).toContain(` 8 of 10 directly, 10 of 10 through ${proxy.url}.`);
});
