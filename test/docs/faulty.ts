/** Upstreams with one fault each, for clients that complain of it: forever, or the first time only. */

import { Upstream, ok, type Script, type UpstreamConnection } from '../harness/upstream.ts';

const PART = '['.padEnd(30_000, '1');

type Answer = (connection: UpstreamConnection) => Promise<void> | void;

const cut =
  (head: string, part: string): Answer =>
  async (connection) => {
    await connection.send(`${head}\r\n\r\n${part}`);
    connection.fin();
  };

const JSON_HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json';

export const FAULTS = {
  'closes without a response': (connection: UpstreamConnection) => connection.fin(),
  'resets without a response': (connection: UpstreamConnection) => connection.reset(),
  'cuts at a length': cut(`${JSON_HEAD}\r\nContent-Length: 51200`, PART),
  'cuts in chunks': cut(`${JSON_HEAD}\r\nTransfer-Encoding: chunked`, `7530\r\n${PART}\r\n`),
  'cuts without a length': cut(`HTTP/1.0 200 OK\r\nContent-Type: application/json`, '{"rows": [1, 2'),
  'cuts before a value': cut(`HTTP/1.0 200 OK\r\nContent-Type: application/json`, '{"rows": '),
} as const satisfies Record<string, Answer>;

export type FaultName = keyof typeof FAULTS;

/** `/page` is always fine; everything else meets the fault, the first `times`. */
export async function startFaulty(name: FaultName, times = Infinity): Promise<Upstream> {
  let met = 0;
  const script: Script = async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) return connection.fin();
      const fine = request.target === '/page' || request.target === '/favicon.ico';
      if (!fine && met++ < times) return await FAULTS[name](connection);
      await connection.send(ok('[]', 'Content-Type: application/json\r\n'));
    }
  };
  return await Upstream.start(script);
}
