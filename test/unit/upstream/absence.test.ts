import { describe, expect, test } from 'vitest';
import { Absence, answeringPorts } from '../../../src/upstream/absence.ts';
import type { Absent } from '../../../src/upstream/absence.ts';
import type { ConnectResult } from '../../../src/upstream/connection.ts';
import { openConnection } from '../../../src/upstream/dial.ts';
import { Upstream } from '../../harness/upstream.ts';

const REFUSED: ConnectResult = {
  kind: 'failed',
  errorCode: 'ECONNREFUSED',
  timedOut: false,
  detail: '127.0.0.1 ECONNREFUSED',
};

async function connected(): Promise<ConnectResult> {
  await using upstream = await Upstream.start(() => undefined);
  const target = { kind: 'tcp', tls: false, host: '127.0.0.1', port: upstream.port } as const;
  const result = await openConnection({ target, insecure: false, timeoutMs: 0 }).result;
  if (result.kind === 'connected') result.connection.destroy();
  return result;
}

/** An absence, what it told, and how often it looked for other ports. */
function absence() {
  const told: Absent[] = [];
  const looks: number[] = [];
  const one = new Absence({
    answeringPorts: async () => {
      looks.push(looks.length);
      return [5173];
    },
    waiting: (absent) => told.push(absent),
  });
  return { one, told, looks };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('an upstream that takes no connections', () => {
  test('is told once, however many wait, with what each address said and what answers instead', async () => {
    const { one, told, looks } = absence();
    one.met(REFUSED);
    one.waitBegins();
    one.met(REFUSED);
    one.waitBegins();
    await settled();
    expect(told).toEqual([
      { reason: '127.0.0.1 ECONNREFUSED', errorCode: 'ECONNREFUSED', answering: [5173] },
    ]);
    expect(one.answering).toEqual([5173]);
    expect(looks).toHaveLength(1);
  });

  test('is told again after it was there; then it is a restart, and its port is right', async () => {
    const { one, told, looks } = absence();
    one.met(await connected());
    for (let time = 0; time < 2; time += 1) {
      one.met(REFUSED);
      one.waitBegins();
      await settled();
      one.met(await connected());
    }
    expect(told.map(({ answering }) => answering)).toEqual([[], []]);
    expect(looks).toEqual([]);
  });

  test('is not told when it is there again before it could be', async () => {
    const { one, told } = absence();
    const there = await connected();
    one.met(REFUSED);
    one.waitBegins();
    one.met(there);
    await settled();
    expect(told).toEqual([]);
  });
});

test('no port of this machine is asked about for a server on another', async () => {
  expect(await answeringPorts({ kind: 'tcp', tls: false, host: 'django', port: 8000 }, [])).toEqual([]);
  expect(await answeringPorts({ kind: 'unix', path: '/run/app.sock' }, [])).toEqual([]);
});
