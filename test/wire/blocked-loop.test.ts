/** In a program with other work to do, a timer can be late, and due before what has come is read. */

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { TestProxy } from '../harness/proxy.ts';

/** Responds when it has the head, reads no more, and tells when it has the head; on a thread of its own. */
const UPSTREAM = `
const { createServer } = require('node:net');
const { parentPort, workerData: told } = require('node:worker_threads');
const server = createServer((socket) => {
  socket.once('data', () => {
    socket.pause();
    Atomics.store(told, 0, 1);
    // The thread that asks is busy by the time that the response is there.
    Atomics.wait(told, 0, 1, 50);
    socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\nConnection: close\\r\\n\\r\\nx');
  });
}).listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;

test('a body whose hold is over while a response waits to be read is not sent', async () => {
  const told = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(UPSTREAM, { eval: true, workerData: told });
  const [port]: unknown[] = await once(worker, 'message');
  try {
    await using proxy = await TestProxy.start(`http://127.0.0.1:${String(port)}`, { bodyHold: 100 });
    const response = fetch(proxy.url, { method: 'POST', body: 'x'.repeat(1000) });
    while (Atomics.load(told, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    expect(await (await response).text()).toBe('x');
    expect((await proxy.record()).attempts[0]?.evidence.requestBody).toBe('withheld');
  } finally {
    await worker.terminate();
  }
});
