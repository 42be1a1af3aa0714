/** The ticket's case over networks that are not loopback: asked directly, and through lastbyte in three places. */

import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { Asking, startLastbyteIn, startServerIn, type Got, type NetServer, type Upload } from './house.ts';
import { Lab, PLAIN, whyNoLab, type WireShape } from './lab.ts';

interface Shape extends WireShape {
  readonly name: string;
  readonly bytes: number;
}

const SHAPES: readonly Shape[] = [
  { name: '40 ms each way', ...PLAIN, delayMs: 40, bytes: 5_000_000 },
  { name: '20 ms each way, ±10 ms, out of order', ...PLAIN, delayMs: 20, jitterMs: 10, bytes: 5_000_000 },
  { name: '5 ms each way, 2 % lost', ...PLAIN, delayMs: 5, loss: 0.02, bytes: 5_000_000 },
  { name: '1 Mbit/s, 10 ms each way', ...PLAIN, delayMs: 10, mbit: 1, bytes: 300_000 },
];
const SERVERS: readonly NetServer[] = ['Django runserver', 'Flask (Werkzeug)'];
const UPLOADS: readonly Upload[] = ['none', 'length:100000', 'chunked:100000'];
const TRIES = 3;

/** Where lastbyte lives: which wire lies between it and the client, and which between it and the upstream. */
const PLACES = ['direct', 'beside the upstream', 'in a third namespace', 'beside the client'] as const;
type Place = (typeof PLACES)[number];

interface Row {
  readonly shape: string;
  readonly server: string;
  readonly upload: Upload;
  readonly place: Place;
  readonly got: readonly Got[];
}
const rows: Row[] = [];
const missing = whyNoLab();

describe.each(SHAPES)('$name', (shape) => {
  let lab: Lab;
  let address: (place: Place, server: NetServer) => { readonly host: string; readonly port: number };

  beforeAll(async () => {
    if (missing !== null) return;
    lab = await Lab.start(['upstream', 'third', 'client']);
    const long = await lab.wire('client', 'upstream', shape);
    const third = await lab.wire('client', 'third', shape);
    const short = await lab.wire('third', 'upstream', PLAIN);
    await Promise.all(
      SERVERS.map(async (server, index) => {
        const port = await startServerIn(lab, 'upstream', server);
        const at = (host: string): string => `http://${host}:${port}`;
        await startLastbyteIn(lab, 'upstream', 8080 + index, at('127.0.0.1'));
        await startLastbyteIn(lab, 'third', 8080 + index, at(short.to));
        await startLastbyteIn(lab, 'client', 8080 + index, at(long.to));
      }),
    );
    address = (place, server) => {
      const index = SERVERS.indexOf(server);
      const hosts = {
        direct: long.to,
        'beside the upstream': long.to,
        'in a third namespace': third.to,
        'beside the client': '127.0.0.1',
      };
      return { host: hosts[place], port: (place === 'direct' ? 8000 : 8080) + index };
    };
  });
  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  const ask = async (
    context: TestContext,
    place: Place,
    server: NetServer,
    upload: Upload,
  ): Promise<readonly Got[]> => {
    if (missing !== null) context.skip(missing);
    const asked = { ...address(place, server), bytes: shape.bytes, upload };
    const got = await new Asking(lab, 'client', asked, TRIES).all();
    rows.push({ shape: shape.name, server, upload, place, got });
    console.log(shape.name, place, server, upload, JSON.stringify(got.map((g) => [g.status, g.end, g.same, g.bytes, g.ms, g.text.slice(0, 300)])));
    return got;
  };

  for (const server of SERVERS)
    for (const upload of UPLOADS)
      test.each(PLACES)(`${server} ${upload} %s`, async (place) => {
        await ask({ skip: () => undefined } as never, place, server, upload);
        expect(1).toBe(1);
      });
});
