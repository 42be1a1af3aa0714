// Event streams and WebSockets from real servers through lastbyte.

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { TestProxy } from '../harness/proxy.ts';
import { frontOf } from './front.ts';
import { ask, EventReader } from './live-client.ts';
import { need } from '../harness/need.ts';
import { numberedBody } from './numbered-body.ts';
import { pythonWith } from './python.ts';
import { startServer, whyMissing } from './servers.ts';

/** RFC 6455 section 7.4.2: the codes from 4000 are an application's own. */
const OWN_CLOSE_CODE = 4321;
/** Below the 16 MiB that uvicorn takes in one message. */
const LARGE_BYTES = 10_000_000;

const MOST_EVENTS = 200;

/** runserver streams until close, where a killed process and an end look the same: RFC 9112 section 8. */
const STREAMS = [
  { name: 'Django runserver', killed: { end: 'whole', outcome: 'relayed' } },
  { name: 'uvicorn', killed: { end: 'cut', outcome: 'cut' } },
] as const;

describe.each(STREAMS)('an event stream of $name', ({ name, killed }) => {
  const front = frontOf(name);

  test('brings each event before the next is sent, and its end as an end', async (context) => {
    const { url, server } = front(context);
    const reader = await EventReader.open(`${url}/live/events?in-turn`);
    let expected = ':ready\n\n';
    expect(await reader.until(expected)).toBe(expected);
    for (let event = 1; event <= 5; event += 1) {
      await ask(`${server.url}/live/next?in-turn`);
      expected += `data: ${event}\n\n`;
      expect(await reader.until(`data: ${event}\n\n`)).toBe(expected);
    }
    await ask(`${server.url}/live/next?in-turn&end`);
    expect(await reader.end()).toBe('whole');
  });

  test('is seen by the server to have lost its client', async (context) => {
    const { url, server } = front(context);
    const reader = await EventReader.open(`${url}/live/events?leaving`);
    await reader.until(':ready\n\n');
    await reader.leave();
    const noted: number[] = [];
    const gone = ask(`${server.url}/live/gone?leaving`).then((status) => noted.push(status));
    // runserver sees it only when it writes: the kernel may still take the first event, not all of them.
    for (let asked = 0; noted.length === 0 && asked < MOST_EVENTS; asked += 1) {
      await ask(`${server.url}/live/next?leaving`);
    }
    await gone;
    expect(noted).toEqual([204]);
  });

  test(`does not hang when the server is killed: to the client it is ${killed.end}`, async (context) => {
    need(context, whyMissing(name));
    await using server = await startServer(name);
    await using proxy = await TestProxy.start(server.url);
    const reader = await EventReader.open(`${proxy.url}/live/events?killed`);
    await reader.until(':ready\n\n');
    process.kill(server.pid, 'SIGKILL');
    expect(await reader.end()).toBe(killed.end);
    expect((await proxy.record()).outcome).toBe(killed.outcome);
  });
});

describe('a WebSocket of uvicorn', () => {
  const front = frontOf('uvicorn');
  const missing =
    pythonWith('websockets') === null
      ? 'uvicorn needs websockets (Debian: apt-get install python3-websockets).'
      : null;

  const connect = async (url: string, id = ''): Promise<WebSocket> => {
    const socket = new WebSocket(`${url.replace('http:', 'ws:')}/?${id}`);
    await once(socket, 'open');
    return socket;
  };

  const answerTo = async (socket: WebSocket, message: string | Buffer): Promise<Buffer> => {
    const answered = once(socket, 'message');
    socket.send(message);
    const [answer]: unknown[] = await answered;
    if (!Buffer.isBuffer(answer)) throw new Error('The response is not one Buffer');
    return answer;
  };

  test('echoes a text and 10 MB in one message, both ways', async (context) => {
    need(context, missing);
    const socket = await connect(front(context).url);
    expect((await answerTo(socket, 'Grüße')).toString()).toBe('Grüße');
    const large = numberedBody(LARGE_BYTES);
    expect((await answerTo(socket, large)).equals(large)).toBe(true);
    socket.close();
    await once(socket, 'close');
  });

  test('brings the close code of the server to the client', async (context) => {
    need(context, missing);
    const socket = await connect(front(context).url);
    const closed = once(socket, 'close');
    socket.send('close me');
    const [code]: unknown[] = await closed;
    expect(code).toBe(OWN_CLOSE_CODE);
  });

  test.for([
    { what: 'the close code of the client', leave: (socket: WebSocket) => socket.close(4322), code: '4322' },
    {
      what: 'an abnormal closure, when the client vanishes,',
      leave: (socket: WebSocket) => socket.terminate(),
      code: '1006',
    },
  ])('brings $what to the server', async ({ leave, code }, context) => {
    need(context, missing);
    const { url } = front(context);
    const witness = await connect(url);
    const socket = await connect(url, code);
    const closed = once(socket, 'close');
    leave(socket);
    await closed;
    expect((await answerTo(witness, `close of ${code}`)).toString()).toBe(code);
    witness.close();
    await once(witness, 'close');
  });

  test('whose server is killed is cut, and does not hang', async (context) => {
    need(context, missing ?? whyMissing('uvicorn'));
    await using server = await startServer('uvicorn');
    await using proxy = await TestProxy.start(server.url);
    const socket = await connect(proxy.url);
    await answerTo(socket, 'alive');
    const closed = once(socket, 'close');
    process.kill(server.pid, 'SIGKILL');
    const [code]: unknown[] = await closed;
    expect(code).toBe(1006);
    expect((await proxy.record()).outcome).toBe('upgraded');
  });
});
