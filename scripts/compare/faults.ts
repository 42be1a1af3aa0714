/** The faults that upstreams are given in the comparison: a file that scripts them, and what the client asks for. */

import { setTimeout as delay } from 'node:timers/promises';
import { Upstream, ok, type Script } from '../../test/harness/upstream.ts';
import { freePort } from '../../test/harness/ports.ts';
import { numberedBody } from '../../test/real/numbered-body.ts';
import { startServer, type ServerName } from '../../test/real/servers.ts';
import type { Ask } from './outcome.ts';

export interface Fault {
  /** The head of its column. */
  readonly name: string;
  readonly tries: number;
  readonly ask: Ask;
  readonly start: () => Promise<{ readonly port: number } & AsyncDisposable>;
}

const WHOLE = 'x'.repeat(51_200);
const PART = WHOLE.slice(0, 30_000);
const LARGE = numberedBody(5_000_000);
/** So that the part is with the proxy before the connection breaks. */
const BEFORE_CUT_MS = 100;
const RESTART_MS = 2_000;

const get: Ask = { method: 'GET', upload: 'none', path: '/', expected: Buffer.from(WHOLE), slow: false };
const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 51200\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n';
const CHUNK = `${PART.length.toString(16)}\r\n${PART}\r\n`;

/** Sends the bytes, and ends the connection. The first `times` requests only; those behind get a whole response. */
function cutting(bytes: string, ending: 'FIN' | 'RST', times = Infinity): Script {
  let cut = 0;
  return async (connection) => {
    while ((await connection.request()) !== null) {
      if (cut >= times) {
        await connection.send(ok(WHOLE));
        continue;
      }
      cut += 1;
      await connection.send(bytes);
      await delay(BEFORE_CUT_MS);
      return ending === 'FIN' ? connection.fin() : connection.reset();
    }
    connection.fin();
  };
}

const scripted = (name: string, script: () => Script): Fault => ({
  name,
  tries: 3,
  ask: get,
  start: () => Upstream.start(script()),
});

const unread = (name: string, server: ServerName, upload: 'length' | 'chunked'): Fault => ({
  name,
  tries: 10,
  ask: { method: 'POST', upload, path: `/bytes/${LARGE.length}`, expected: LARGE, slow: true },
  start: () => startServer(server),
});

/** Nobody listens for two seconds; then a whole response. */
async function restarting(): Promise<{ readonly port: number } & AsyncDisposable> {
  const port = await freePort();
  const started = delay(RESTART_MS).then(() => Upstream.start(cutting('', 'FIN', 0), port));
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await using upstream = await started;
      void upstream;
    },
  };
}

export const FAULTS: readonly Fault[] = [
  scripted('length, FIN', () => cutting(`${LENGTH}${PART}`, 'FIN')),
  scripted('length, RST', () => cutting(`${LENGTH}${PART}`, 'RST')),
  scripted('chunks, FIN', () => cutting(`${CHUNKED}${CHUNK}`, 'FIN')),
  scripted('chunks, RST', () => cutting(`${CHUNKED}${CHUNK}`, 'RST')),
  { ...scripted('cut once', () => cutting(`${LENGTH}${PART}`, 'FIN', 1)), tries: 1 },
  scripted('two lengths', () =>
    cutting(`${LENGTH.replace('\r\n\r\n', '\r\nContent-Length: 30000\r\n\r\n')}${PART}`, 'FIN'),
  ),
  unread('http.server, POST', 'http.server, HTTP/1.1', 'length'),
  unread('Flask, POST', 'Flask (Werkzeug)', 'length'),
  unread('Django, POST chunked', 'Django runserver', 'chunked'),
  { name: 'restart, 2 s', tries: 1, ask: get, start: restarting },
];
