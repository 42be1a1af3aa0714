/** The ticket's case over networks that are not loopback: asked directly, and through lastbyte in three places. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { need } from '../harness/need.ts';
import { ask, startLastbyteIn, startServerIn, whyNoServers } from './house.ts';
import type { Got, NetServer, Upload } from './house.ts';
import { Lab, PLAIN, whyNoLab } from './lab.ts';
import type { WireShape } from './lab.ts';
import { tableOf, type Row } from './table.ts';

interface Shape extends WireShape {
  readonly name: string;
  readonly bytes: number;
  readonly uploadBytes: number;
}

const LARGE = { bytes: 5_000_000, uploadBytes: 100_000 };
const SHAPES: readonly Shape[] = [
  { name: '40 ms', ...PLAIN, delayMs: 40, ...LARGE },
  { name: '20 ± 10 ms, out of order', ...PLAIN, delayMs: 20, jitterMs: 10, ...LARGE },
  { name: '5 ms, 2 % lost', ...PLAIN, delayMs: 5, loss: 0.02, ...LARGE },
  { name: '10 ms, 1 Mbit/s', ...PLAIN, delayMs: 10, mbit: 1, bytes: 150_000, uploadBytes: 30_000 },
];
const TRIES = 3;

const SERVERS: readonly NetServer[] = ['Django runserver', 'Flask (Werkzeug)'];
/** The shaped wire lies between lastbyte and the client, but for the last: there it lies before the upstream. */
const PLACES = ['direct', 'beside the upstream', 'in a third namespace', 'beside the client'] as const;
type Place = (typeof PLACES)[number];
const CASES = SERVERS.flatMap((server) => PLACES.map((place) => ({ server, place })));

const missing = whyNoLab() ?? whyNoServers();
const rows: Row[] = [];

type Addresses = Readonly<Record<Place, string>>;

/** The upstream, a third namespace and the client, with lastbyte in each, once for each server. */
async function furnish(lab: Lab, shape: Shape): Promise<Addresses> {
  const long = await lab.wire('client', 'upstream', shape);
  const third = await lab.wire('client', 'third', shape);
  const short = await lab.wire('third', 'upstream', PLAIN);
  for (const server of SERVERS) {
    const port = await startServerIn(lab, 'upstream', server);
    const targets = { upstream: '127.0.0.1', third: short.to, client: long.to };
    for (const [where, host] of Object.entries(targets))
      await startLastbyteIn(lab, where, frontPort(server), `http://${host}:${port}`);
  }
  return {
    direct: long.to,
    'beside the upstream': long.to,
    'in a third namespace': third.to,
    'beside the client': '127.0.0.1',
  };
}

const frontPort = (server: NetServer): number => 8080 + SERVERS.indexOf(server);
const directPort = (server: NetServer): number => 8000 + SERVERS.indexOf(server);

describe.each(SHAPES)('over a wire of $name', (shape) => {
  let lab: Lab | null = null;
  let addresses: Addresses;

  beforeAll(async () => {
    if (missing !== null) return;
    lab = await Lab.start(['upstream', 'third', 'client']);
    addresses = await furnish(lab, shape);
  });
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  test.for(CASES)(
    '$server, $place: no response is cut on its way through us',
    async ({ server, place }, context) => {
      need(context, missing);
      if (lab === null) return;
      const port = place === 'direct' ? directPort(server) : frontPort(server);
      const uploads: readonly Upload[] = [
        'none',
        `length:${shape.uploadBytes}`,
        `chunked:${shape.uploadBytes}`,
      ];
      for (const upload of uploads) {
        const asked = { host: addresses[place], port, bytes: shape.bytes, upload };
        const got = await ask(lab, 'client', asked, TRIES).all();
        expect(got.length).toBe(TRIES);
        rows.push({ shape: shape.name, server, place, upload, got });
        if (place !== 'direct') expect(got.map(summary), upload).toEqual(Array(TRIES).fill('200 whole'));
      }
    },
  );
});

function summary({ status, end, same, text }: Got): string {
  if (status !== 200) return `${status} ${text}`;
  return `200 ${end === 'whole' && same ? 'whole' : end}`;
}

test('asked directly, answers are cut: the fault is there to be cured', (context) => {
  need(context, missing);
  const direct = rows.filter(({ place }) => place === 'direct').flatMap(({ got }) => got);
  expect(direct.map(({ end }) => end)).toContain('reset');
});

afterAll(() => {
  if (rows.length > 0) process.stdout.write(tableOf(rows));
});
