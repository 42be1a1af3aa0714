/** An upstream that is further away than --body-hold is long: a held body is sent before any response can be here. */

import { expect, test } from 'vitest';
import { need } from '../harness/need.ts';
import { ask, startLastbyteIn, startServerIn, whyNoServers } from './house.ts';
import { Lab, PLAIN, whyNoLab } from './lab.ts';

const missing = whyNoLab() ?? whyNoServers();
const TRIES = 3;
const POST = { host: '127.0.0.1', port: 8080, bytes: 5_000_000, upload: 'chunked:100000' } as const;

test.for(['Django runserver', 'Flask (Werkzeug)'] as const)(
  '%s, 160 ms there and back: at most the first POST of a route is refused, and no part of it is a 200',
  async (server, context) => {
    need(context, missing);
    await using lab = await Lab.start(['upstream', 'house']);
    const wire = await lab.wire('house', 'upstream', { ...PLAIN, delayMs: 80 });
    const port = await startServerIn(lab, 'upstream', server);
    await startLastbyteIn(lab, 'house', 8080, `http://${wire.to}:${port}`);
    const got = await ask(lab, 'house', POST, TRIES).all();
    expect(got.filter(({ status, same }) => status === 200 && !same)).toEqual([]);
    expect(got.slice(1).map(({ same }) => same)).toEqual(Array(TRIES - 1).fill(true));
  },
);

test('with a --body-hold that is longer than the way there and back, none is refused', async (context) => {
  need(context, missing);
  await using lab = await Lab.start(['upstream', 'house']);
  const wire = await lab.wire('house', 'upstream', { ...PLAIN, delayMs: 80 });
  const port = await startServerIn(lab, 'upstream', 'Flask (Werkzeug)');
  await startLastbyteIn(lab, 'house', 8080, `http://${wire.to}:${port}`, '--body-hold', '1s');
  const got = await ask(lab, 'house', POST, TRIES).all();
  expect(got.map(({ same }) => same)).toEqual(Array(TRIES).fill(true));
});
