/** Many exchanges at once through an upstream that fails in every way: the promise, not the mechanisms. */

import { expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import type { RawResponse } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { bodyOf, inChunks, random } from '../harness/random-body.ts';
import type { Random } from '../harness/random-body.ts';
import { Upstream } from '../harness/upstream.ts';
import type { SeenRequest, UpstreamConnection } from '../harness/upstream.ts';

const CLIENTS = 12;
const EXCHANGES_PER_CLIENT = 40;
/** Set to a number from a failure's message to see that storm again. */
const SEED = Number(process.env['LASTBYTE_STORM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));

type Framed = 'length' | 'chunked' | 'close';

function answerTo(request: SeenRequest, framed: Framed, pick: Random): string {
  const body = bodyOf(request.target);
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n';
  const shown = request.method === 'HEAD' ? '' : body;
  switch (framed) {
    case 'length':
      return `${head}Content-Length: ${body.length}\r\n\r\n${shown}`;
    case 'chunked':
      return `${head}Transfer-Encoding: chunked\r\n\r\n${request.method === 'HEAD' ? '' : inChunks(body, 1 + pick(9000))}`;
    case 'close':
      return `${head}Connection: close\r\n\r\n${shown}`;
  }
}

const FRAMED: readonly Framed[] = ['length', 'chunked', 'close'];

/** True: the connection goes on. */
type Behaviour = (connection: UpstreamConnection, request: SeenRequest, pick: Random) => Promise<boolean>;

const whole: Behaviour = async (connection, request, pick) => {
  const framed = FRAMED[pick(3)] ?? 'length';
  await connection.send(answerTo(request, framed, pick));
  if (framed === 'close') connection.fin();
  return framed !== 'close';
};

/** Never of an until-close body by FIN: nobody can tell that from a whole one. */
const cut: Behaviour = async (connection, request, pick) => {
  const reset = pick(2) === 0;
  const answer = answerTo(request, FRAMED[pick(reset ? 3 : 2)] ?? 'length', pick);
  await connection.send(answer.slice(0, pick(answer.length)));
  if (reset) connection.reset();
  else connection.fin();
  return false;
};

/** The fault itself: the kernel resets a connection that is closed with bytes unread. */
const closeUnread: Behaviour = async (connection, request, pick) => {
  connection.socket.pause();
  await connection.send(answerTo(request, 'length', pick));
  connection.socket.destroy();
  return false;
};

const hang: Behaviour = async (connection, request, pick) => {
  const answer = answerTo(request, 'length', pick);
  await connection.send(answer.slice(0, pick(answer.length)));
  await connection.peerEnd();
  return false;
};

const garbage: Behaviour = async (connection, request, pick) => {
  const answer = answerTo(request, 'chunked', pick);
  const at = pick(answer.length);
  await connection.send(`${answer.slice(0, at)}\u0000\r\nzz\r\n`);
  connection.fin();
  return false;
};

/** Surplus that looks like the next response. */
const surplus: Behaviour = async (connection, request, pick) => {
  const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
  await connection.send(answerTo(request, FRAMED[pick(2)] ?? 'length', pick) + poison);
  return true;
};

/** The keep-alive race: the connection ends while the next request may be on its way. */
const wholeThenClose: Behaviour = async (connection, request, pick) => {
  await connection.send(answerTo(request, FRAMED[pick(2)] ?? 'length', pick));
  if (pick(2) === 0) connection.reset();
  else connection.fin();
  return false;
};

const BEHAVIOURS: readonly Behaviour[] = [
  whole,
  whole,
  whole,
  whole,
  wholeThenClose,
  surplus,
  cut,
  cut,
  closeUnread,
  garbage,
  hang,
];

/** Takes an unread body for the next request, as servers do. */
async function misbehave(connection: UpstreamConnection, pick: Random): Promise<void> {
  for (;;) {
    const request = await connection.request();
    if (request === null) return connection.fin();
    const length = Number(valueOf(request.fields, 'content-length') ?? 0);
    if (pick(3) > 0 && (await connection.body(length)) === null) return;
    const behave = BEHAVIOURS[pick(BEHAVIOURS.length)] ?? whole;
    if (!(await behave(connection, request, pick))) return connection.fin();
  }
}

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS'];

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly bytes: string;
}

function ask(target: string, closes: boolean, pick: Random): Asked {
  const method = METHODS[pick(METHODS.length)] ?? 'GET';
  const head = `${method} ${target} HTTP/1.1\r\nHost: x\r\n${closes ? 'Connection: close\r\n' : ''}`;
  if (method !== 'POST' && method !== 'PUT') return { method, target, bytes: `${head}\r\n` };
  const body = 'b '.repeat(pick(15_000));
  const bytes =
    pick(2) === 0
      ? `${head}Content-Length: ${body.length}\r\n\r\n${body}`
      : `${head}Transfer-Encoding: chunked\r\n\r\n${inChunks(body, 4000)}`;
  return { method, target, bytes };
}

/** `Client.response` has checked the Content-Length; here it must be the right one, or a refusal that says so. */
function judge({ method, target }: Asked, response: RawResponse): void {
  const body = response.body.toString('latin1');
  if (response.status === 200) {
    if (method !== 'HEAD' && body !== bodyOf(target)) throw new Error(`${method} ${target}: another body`);
    return;
  }
  if (![502, 504].includes(response.status)) throw new Error(`${method} ${target}: ${response.status}`);
  expect(valueOf(response.fields, 'proxy-status'), target).toContain('error=');
  if (method !== 'HEAD') expect(JSON.parse(body)).toMatchObject({ status: response.status });
}

async function converse(port: number, name: number, statuses: number[]): Promise<void> {
  const pick = random(SEED + name + 1);
  let client = await Client.connect(port);
  for (let index = 0; index < EXCHANGES_PER_CLIENT; index += 1) {
    const closes = pick(5) === 0;
    const asked = ask(`/${name}/${index}`, closes, pick);
    await client.send(asked.bytes);
    if (closes && pick(2) === 0) client.halfClose();
    const response = await client.response(asked.method);
    judge(asked, response);
    statuses.push(response.status);
    const over = closes || valueOf(response.fields, 'connection') === 'close';
    const leaves = pick(20) === 0;
    if (leaves) await client.send(ask(`/${name}/${index}/left`, false, pick).bytes);
    if (!over && !leaves) continue;
    if (leaves) client.socket.resetAndDestroy();
    else client.halfClose();
    if (over && !leaves) expect(await client.end()).toBe('fin');
    client[Symbol.dispose]();
    client = await Client.connect(port);
  }
  client[Symbol.dispose]();
}

test(`no client hangs, gets a cut 200 or another's response, and what may be sent only once is (seed ${SEED})`, async () => {
  const pick = random(SEED);
  await using upstream = await Upstream.start((connection) => misbehave(connection, pick));
  await using proxy = await TestProxy.start(upstream.url, {
    bodyHold: 5,
    firstByteTimeout: 300,
    bodyIdleTimeout: 300,
  });
  const statuses: number[] = [];
  await Promise.all(Array.from({ length: CLIENTS }, (_, name) => converse(proxy.port, name, statuses)));
  expect(statuses.length).toBe(CLIENTS * EXCHANGES_PER_CLIENT);
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(statuses.length / 2);
  const once = upstream.requests.filter(({ method }) => ['POST', 'PUT', 'DELETE'].includes(method));
  expect(new Set(once.map(({ target }) => target)).size, 'requests that may be sent only once').toBe(
    once.length,
  );
});
