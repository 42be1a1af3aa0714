/** Bodies that tell whose they are, and an upstream and clients that exchange many of them at once. */

import { Client } from './client.ts';
import type { Script } from './upstream.ts';

interface Batch {
  readonly atOnce: number;
  readonly bytes: number;
}

const SMALL: Batch = { atOnce: 4, bytes: 1000 };
const LARGE: Batch = { atOnce: 8, bytes: 60_000 };
/** 40 small bodies, then 24 large ones. */
const BATCHES: readonly Batch[] = [...batches(10, SMALL), ...batches(3, LARGE)];

/** What came back for each request that did not get its own body, whole. */
export async function wrongBodies(port: number, method: 'GET' | 'POST'): Promise<unknown[]> {
  const clients = await Promise.all(Array.from({ length: LARGE.atOnce }, () => Client.connect(port)));
  const wrong: unknown[] = [];
  let number = 0;
  for (const batch of BATCHES) {
    await Promise.all(
      clients.slice(0, batch.atOnce).map(async (client) => {
        const own = (number += 1);
        await client.send(requestFor(method, own, batch));
        const { status, body } = await client.response();
        const numbers = numbersIn(body);
        const isOwn = status === 200 && body.length === batch.bytes && numbers.join() === String(own);
        if (!isOwn) wrong.push({ own, status, bytes: body.length, numbers });
      }),
    );
  }
  for (const client of clients) client[Symbol.dispose]();
  return wrong;
}

function batches(count: number, batch: Batch): readonly Batch[] {
  return Array.from({ length: count }, () => batch);
}

/** Its number in every four bytes, so that bytes of any other body show wherever they are. */
function bodyOf(number: number, bytes: number): Buffer {
  const body = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) body.writeUInt32LE(number, at);
  return body;
}

/** The numbers of the bodies whose bytes are in this one. */
function numbersIn(body: Buffer): readonly number[] {
  const found = new Set<number>();
  for (let at = 0; at + 4 <= body.length; at += 4) found.add(body.readUInt32LE(at));
  return [...found];
}

/** Resolves, for all of a batch, when each of them has called, and what each had sent before was read. */
class Meeting {
  readonly #waiting: (() => void)[] = [];

  async all(count: number): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#waiting.push(resolve) === count) for (const go of this.#waiting.splice(0)) go();
    });
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Responds with a body of the request's own, or with the request's body, in two parts; all of a batch send the first part first. */
export function halfByHalf(): Script {
  const meeting = new Meeting();
  return async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) return connection.fin();
      const [number = 0, bytes = 0, atOnce = 0] = request.target.split('/').slice(1).map(Number);
      const received = request.method === 'POST' ? await connection.body(bytes) : null;
      const body = received ?? bodyOf(number, bytes);
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
      await connection.send(body.subarray(0, bytes / 2));
      await meeting.all(atOnce);
      await connection.send(body.subarray(bytes / 2));
    }
  };
}

function requestFor(method: string, number: number, { bytes, atOnce }: Batch): Buffer {
  const head = `${method} /${number}/${bytes}/${atOnce} HTTP/1.1\r\nHost: x\r\n`;
  if (method === 'GET') return Buffer.from(`${head}\r\n`);
  return Buffer.concat([Buffer.from(`${head}Content-Length: ${bytes}\r\n\r\n`), bodyOf(number, bytes)]);
}
