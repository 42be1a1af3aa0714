// What Node does when it connects to a name that has several addresses.

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { fullQueue } from '../harness/full-queue.ts';

test('autoSelectFamily gives up each address but the last that is silent for 250 ms, whatever time the socket may take', async () => {
  await using first = await fullQueue('127.0.0.2');
  const socket = connect({
    host: 'app.test',
    port: first.port,
    autoSelectFamily: true,
    lookup: (_host, _options, done) =>
      done(null, [
        { address: '127.0.0.2', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]),
  });
  const [error] = await once(socket, 'error').catch((thrown: unknown) => [thrown]);
  // The first one is still being asked by a kernel that nobody listens to: the refusal of the second ends it all.
  expect(error).toMatchObject({ name: 'AggregateError', code: 'ETIMEDOUT' });
  expect(error).toMatchObject({ errors: [{ code: 'ETIMEDOUT' }, { code: 'ECONNREFUSED' }] });
});

test('localhost is a name for the resolver like any other', async () => {
  const asked: string[] = [];
  const socket = connect({
    host: 'localhost',
    port: 1,
    lookup: (host, _options, done) => {
      asked.push(host);
      done(Object.assign(new Error('none'), { code: 'ENOTFOUND' }), []);
    },
  });
  const [error] = await once(socket, 'error').catch((thrown: unknown) => [thrown]);
  expect(error).toMatchObject({ code: 'ENOTFOUND' });
  expect(asked).toEqual(['localhost']);
});
