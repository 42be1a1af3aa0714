/** Networks that fall silent: no FIN and no RST tells, only clocks do. */

import { expect, test } from 'vitest';
import { descriptorsOf } from '../harness/procfs.ts';
import { need } from '../harness/need.ts';
import { ask, records, startLastbyteIn, startServerIn, whyNoServers } from './house.ts';
import { Lab, PLAIN, whyNoLab } from './lab.ts';

const missing = whyNoLab() ?? whyNoServers();
const PORT = 8080;

/** Spool files have no name: only their descriptors show them, and they are closed a moment after the exchange. */
function openSpoolFiles(pid = 0): string[] {
  return descriptorsOf(pid).flatMap(({ target }) =>
    target.includes('lastbyte') && target.includes('(deleted)') ? [target] : [],
  );
}

test.for(['none', 'length:1000', 'chunked:1000'] as const)(
  'an upstream that is a black hole is given up at --connect-timeout, request body: %s',
  async (upload, context) => {
    need(context, missing);
    await using lab = await Lab.start(['upstream', 'house']);
    const { nowhere } = await lab.wire('house', 'upstream', PLAIN);
    const options = ['--connect-timeout', '500ms', '--wait-for-upstream', '0'];
    const { lines } = await startLastbyteIn(lab, 'house', PORT, `http://${nowhere}:8000`, ...options);
    const seen = records(lines);
    const [got] = await ask(lab, 'house', { host: '127.0.0.1', port: PORT, bytes: 10, upload }, 1).all();
    expect(got?.status).toBe(504);
    expect(got?.text).toContain('urn:lastbyte:error:connect_timeout');
    expect(got?.text).toContain('did not accept a connection within 500 ms');
    expect(await seen.next()).toMatchObject({ outcome: 'refused', error: 'connect_timeout', tries: 1 });
  },
);

test('an upstream that is a black hole is waited for no longer than --wait-for-upstream', async (context) => {
  need(context, missing);
  await using lab = await Lab.start(['upstream', 'house']);
  const { nowhere } = await lab.wire('house', 'upstream', PLAIN);
  const options = ['--connect-timeout', '300ms', '--wait-for-upstream', '1s'];
  const { lines } = await startLastbyteIn(lab, 'house', PORT, `http://${nowhere}:8000`, ...options);
  const seen = records(lines);
  const asked = { host: '127.0.0.1', port: PORT, bytes: 10, upload: 'none' } as const;
  const [got] = await ask(lab, 'house', asked, 1).all();
  expect(got?.status).toBe(504);
  expect(await seen.next()).toMatchObject({ error: 'connect_timeout' });
});

test('an upstream whose link goes down in the middle of a body costs a 504 with the numbers, and no 200', async (context) => {
  need(context, missing);
  await using lab = await Lab.start(['upstream', 'house']);
  const wire = await lab.wire('house', 'upstream', { ...PLAIN, delayMs: 5, cutAfterBytes: 1_000_000 });
  const port = await startServerIn(lab, 'upstream', 'Django runserver');
  const options = ['--body-idle-timeout', '500ms'];
  const { child, lines } = await startLastbyteIn(lab, 'house', PORT, `http://${wire.to}:${port}`, ...options);
  const seen = records(lines);
  const asked = { host: '127.0.0.1', port: PORT, bytes: 5_000_000, upload: 'none' } as const;
  const [got] = await ask(lab, 'house', asked, 1).all();
  expect(got?.status).toBe(504);
  expect(got?.text).toContain('urn:lastbyte:error:response_stalled');
  expect(JSON.parse(got?.text ?? '')).toMatchObject({ expected: 5_000_000, end: 'timeout' });
  expect(await seen.next()).toMatchObject({ outcome: 'refused', verdict: 'truncated', tries: 1 });
  await expect.poll(() => openSpoolFiles(child.pid)).toEqual([]);
});

test('a client whose link goes down in the middle of its response is given up, and its room is free again', async (context) => {
  need(context, missing);
  await using lab = await Lab.start(['house', 'client']);
  const wire = await lab.wire('house', 'client', { ...PLAIN, delayMs: 5, cutAfterBytes: 1_000_000 });
  const port = await startServerIn(lab, 'house', 'Django runserver');
  // Room for one such answer, and on disk: the second gets none before the first has given it back.
  const room = ['--memory-per-body', '64kb', '--disk-total', '24mb'];
  const options = ['--client-receive-timeout', '1s', ...room];
  const { child, lines } = await startLastbyteIn(lab, 'house', PORT, `http://127.0.0.1:${port}`, ...options);
  const seen = records(lines);
  const asked = { port: PORT, bytes: 20_000_000, upload: 'none' } as const;
  const lost = ask(lab, 'client', { host: wire.from, ...asked }, 1);
  await lost.begun();
  expect(openSpoolFiles(child.pid).length).toBe(1);
  const given = await seen.next();
  expect(given).toMatchObject({ outcome: 'abandoned', verdict: 'complete' });
  expect(given.why).toContain('--client-receive-timeout');
  await expect.poll(() => openSpoolFiles(child.pid)).toEqual([]);
  const [good] = await ask(lab, 'house', { host: '127.0.0.1', ...asked }, 1).all();
  expect(good).toMatchObject({ status: 200, end: 'whole', same: true });
});

test('a client whose link goes down in the middle of its upload is given up, and its room is free again', async (context) => {
  need(context, missing);
  await using lab = await Lab.start(['house', 'client']);
  const wire = await lab.wire('house', 'client', { ...PLAIN, delayMs: 5, cutAfterBytes: 1_000_000 });
  const port = await startServerIn(lab, 'house', 'Django runserver');
  const room = ['--memory-per-body', '64kb', '--disk-total', '6mb'];
  const options = ['--client-send-timeout', '1s', ...room];
  const { child, lines } = await startLastbyteIn(lab, 'house', PORT, `http://127.0.0.1:${port}`, ...options);
  const seen = records(lines);
  const asked = { port: PORT, bytes: 10, upload: 'length:5000000' } as const;
  ask(lab, 'client', { host: wire.from, ...asked }, 1);
  expect(await seen.next()).toMatchObject({ error: 'request_timeout', status: 408, tries: 0 });
  await expect.poll(() => openSpoolFiles(child.pid)).toEqual([]);
  const [good] = await ask(lab, 'house', { host: '127.0.0.1', ...asked }, 1).all();
  expect(good).toMatchObject({ status: 200, end: 'whole', same: true });
});
