/** Every framing, cut at every kind of place, in every way: a whole 200 or a clean 5xx, never anything else. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import type { RawResponse } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { UpstreamConnection } from '../harness/upstream.ts';

type Ending = 'fin' | 'rst' | 'hang' | 'garbage';

interface Shape {
  readonly name: string;
  readonly method: 'GET' | 'HEAD';
  readonly text: string;
  readonly body: string;
  /** Ends with the connection, so that nobody can tell a cut by FIN. */
  readonly untilClose: boolean;
  /** Places at which bytes that are not HTTP cannot pass for the body. */
  readonly garbageAt: readonly string[];
}

const BODY = 'The quick brown fox jumps over the lazy dog.';
const LARGE = Array.from({ length: 20_000 }, (_, index) => `line ${index}`).join('\n');
const HEAD = 'HTTP/1.1 200 OK\r\nX-Some: field\r\n';
const HEAD_PLACES = ['in the status line', 'in a field', 'in the empty line'];

const lengthShape = (name: string, body: string): Shape => ({
  name,
  method: 'GET',
  text: `${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`,
  body,
  untilClose: false,
  garbageAt: HEAD_PLACES,
});

const SHAPES: readonly Shape[] = [
  lengthShape('a length', BODY),
  lengthShape('a length, 200 KB', LARGE),
  {
    name: 'chunks',
    method: 'GET',
    text: `${HEAD}Transfer-Encoding: chunked\r\n\r\n10\r\n${BODY.slice(0, 16)}\r\n1c\r\n${BODY.slice(16)}\r\n0\r\n\r\n`,
    body: BODY,
    untilClose: false,
    garbageAt: [...HEAD_PLACES, 'after a chunk', 'after a chunk size'],
  },
  {
    name: 'until close',
    method: 'GET',
    text: `HTTP/1.0 200 OK\r\nX-Some: field\r\n\r\n${BODY}`,
    body: BODY,
    untilClose: true,
    garbageAt: HEAD_PLACES,
  },
  {
    name: 'no body by its status',
    method: 'GET',
    text: 'HTTP/1.1 304 Not Modified\r\nX-Some: field\r\nContent-Length: 44\r\n\r\n',
    body: '',
    untilClose: false,
    garbageAt: HEAD_PLACES,
  },
  {
    name: 'no body by its status, and no length',
    method: 'GET',
    text: 'HTTP/1.1 204 No Content\r\nX-Some: field\r\n\r\n',
    body: '',
    untilClose: false,
    garbageAt: HEAD_PLACES,
  },
  {
    name: 'no body by its method',
    method: 'HEAD',
    text: `${HEAD}Content-Length: 44\r\n\r\n`,
    body: '',
    untilClose: false,
    garbageAt: HEAD_PLACES,
  },
];

/** Named offsets into the text of a response, the end last. */
function places({ text }: Shape): readonly (readonly [place: string, offset: number])[] {
  const headEnd = text.indexOf('\r\n\r\n') + 4;
  const all: [string, number][] = [
    ['before anything', 0],
    ['in the status line', 7],
    ['in a field', text.indexOf('field') + 2],
    ['in the empty line', headEnd - 1],
  ];
  if (text.length > headEnd) {
    const middle = headEnd + Math.floor((text.length - headEnd) / 2);
    all.push(['after the head', headEnd], ['after the first byte', headEnd + 1], ['in the middle', middle]);
  }
  if (text.includes('chunked')) {
    const size = text.indexOf('1c\r\n');
    all.push(
      ['in a chunk size', size + 1],
      ['after a chunk size', size + 2],
      ['in the line end of a size', size + 3],
    );
    all.push(['after the bytes of a chunk', size - 2], ['after a chunk', size]);
    all.push(['after the last size', text.length - 4], ['after the last line', text.length - 2]);
  }
  if (text.length > headEnd) all.push(['one byte before the end', text.length - 1]);
  return [...all, ['at the end', text.length]];
}

interface Case {
  readonly shape: Shape;
  readonly place: string;
  readonly offset: number;
  readonly ending: Ending;
}

const CASES: readonly Case[] = SHAPES.flatMap((shape) =>
  places(shape).flatMap(([place, offset]) =>
    (['fin', 'rst', 'hang', 'garbage'] as const)
      .filter((ending) => ending !== 'garbage' || shape.garbageAt.includes(place))
      // A reset throws away what of a large body is still on its way: then it is not whole.
      .filter((ending) => ending !== 'rst' || place !== 'at the end' || shape.body !== LARGE)
      .map((ending) => ({ shape, place, offset, ending })),
  ),
);

/** What a client may get when the upstream does this every time. */
function outcome({
  shape,
  place,
  offset,
  ending,
}: Case): 'whole' | 'part, which nobody can tell' | 502 | 504 {
  const headEnd = shape.text.indexOf('\r\n\r\n') + 4;
  if (place === 'at the end' && !shape.untilClose) return 'whole';
  if (shape.untilClose && offset >= headEnd && ending === 'fin') return 'part, which nobody can tell';
  return ending === 'hang' ? 504 : 502;
}

/** What is no HTTP twice in the same way will be so a third time. */
function triesAt({ ending }: Case): number {
  return ending === 'garbage' ? 2 : 3;
}

/** Tries made at each target, over all connections. */
const tries = new Map<string, number>();

/** Targets: /case/<index>/<number of the first try that is whole>; all others are fine. */
async function script(connection: UpstreamConnection): Promise<void> {
  for (;;) {
    const request = await connection.request();
    if (request === null) return connection.fin();
    if (request.method === 'POST') await connection.body(3);
    const made = (tries.get(request.target) ?? 0) + 1;
    tries.set(request.target, made);
    const [, kind, index, wholeFrom] = request.target.split('/');
    const one = kind === 'case' ? CASES[Number(index)] : undefined;
    if (one === undefined) await connection.send(ok('fine'));
    else if (made >= Number(wholeFrom)) await answer(connection, one.shape);
    else return await cut(connection, one);
  }
}

async function answer(connection: UpstreamConnection, shape: Shape): Promise<void> {
  await connection.send(shape.text);
  if (shape.untilClose) connection.fin();
}

async function cut(connection: UpstreamConnection, { shape, offset, ending }: Case): Promise<void> {
  const text = shape.text.slice(0, offset);
  if (ending === 'rst') {
    // Without waiting: the reset is to come right after the last byte, where Node up to 22 takes it for an end.
    if (text !== '') connection.socket.write(text, 'latin1');
    return connection.reset();
  }
  await connection.send(ending === 'garbage' ? `${text}\0\x01 no HTTP\r\n\r\n` : text);
  if (ending !== 'hang') connection.fin();
}

let upstream: Upstream;
let proxy: TestProxy;
/** Its clocks run out soon: only for upstreams that hang, since any other may be slow for a moment on a busy machine. */
let impatient: TestProxy;
beforeAll(async () => {
  upstream = await Upstream.start(script);
  // An idle connection that is closed costs no try, which would spoil the count.
  const options = { bodyHold: 1, bodyHoldMax: 1, maxIdleConnections: 0 };
  proxy = await TestProxy.start(upstream.url, { ...options, firstByteTimeout: 0, bodyIdleTimeout: 0 });
  impatient = await TestProxy.start(upstream.url, { ...options, firstByteTimeout: 60, bodyIdleTimeout: 60 });
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await impatient[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

async function ask(client: Client, method: string, target: string): Promise<RawResponse> {
  const body = method === 'POST' ? 'Content-Length: 3\r\n\r\nabc' : '\r\n';
  await client.send(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${body}`);
  return await client.response(method);
}

/** Nothing of the last response is left on the connection: the next one on it is its own. */
async function expectUsable(client: Client): Promise<void> {
  expect((await ask(client, 'GET', '/fine')).body.toString()).toBe('fine');
}

function expectWhole(response: RawResponse, shape: Shape): void {
  expect(response.status).toBe(Number(shape.text.slice(9, 12)));
  expect(response.body.toString() === shape.body).toBe(true);
}

function expectRefused(response: RawResponse, status: number): void {
  expect(response.status).toBe(status);
  expect(valueOf(response.fields, 'proxy-status')).toMatch(/^lastbyte; error=/);
}

describe.each(SHAPES.map((shape) => [shape.name, shape] as const))(
  'a response with framing by %s',
  (_name, shape) => {
    const cases = CASES.map((one, index) => [one.place, one.ending, one, index] as const).filter(
      ([, , one]) => one.shape === shape,
    );

    describe.each(cases)('cut %s by %s', (_place, _ending, one, index) => {
      const expected = outcome(one);
      const port = (): number => (one.ending === 'hang' ? impatient : proxy).port;

      test(`every time: ${expected}`, async () => {
        using client = await Client.connect(port());
        const target = `/case/${index}/99`;
        const response = await ask(client, shape.method, target);
        if (expected === 'whole') expectWhole(response, shape);
        else if (expected === 502 || expected === 504) expectRefused(response, expected);
        else expect(shape.body.startsWith(response.body.toString())).toBe(true);
        expect(tries.get(target)).toBe(expected === 502 ? triesAt(one) : 1);
        await expectUsable(client);
      });

      if (expected === 502) {
        test.each([2, 3].filter((wholeFrom) => wholeFrom <= triesAt(one)))(
          'a GET that comes whole at try %i is saved',
          async (wholeFrom) => {
            using client = await Client.connect(port());
            expectWhole(await ask(client, shape.method, `/case/${index}/${wholeFrom}`), shape);
            await expectUsable(client);
          },
        );
      }

      if (shape.method === 'GET') {
        test('a POST is sent once, whatever comes of it', async () => {
          using client = await Client.connect(port());
          const target = `/case/${index}/98`;
          const response = await ask(client, 'POST', target);
          if (expected === 'whole') expectWhole(response, shape);
          else if (expected === 502 || expected === 504) expectRefused(response, expected);
          else expect(response.status).toBe(200);
          expect(tries.get(target)).toBe(1);
          await expectUsable(client);
        });
      }
    });
  },
);

test('a reset right after a body that is read until close is never taken for its end, in none of 50 attempts', async () => {
  const index = CASES.findIndex(
    (one) => one.shape.untilClose && one.place === 'at the end' && one.ending === 'rst',
  );
  for (let attempt = 0; attempt < 50; attempt += 1) {
    using client = await Client.connect(proxy.port);
    expectRefused(await ask(client, 'POST', `/case/${index}/${100 + attempt}`), 502);
  }
});
