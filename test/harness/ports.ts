/** Ports of this machine that nobody listens on, in either family. */

import { createServer } from 'node:net';

/** Below the range that the system gives to clients (32768 on), so that none of their connections takes one meanwhile. */
const FIRST = 19_000;
const COUNT = 8_000;
let next = Math.floor(Math.random() * COUNT);

/** A port that was free a moment ago; another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    next = (next + 1) % COUNT;
    if (await isFree(FIRST + next)) return FIRST + next;
  }
}

export async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
