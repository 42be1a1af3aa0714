/**
 * The servers of frontends, with lastbyte out of its package in the place of their own proxy: responses of real Django and Flask
 * to a request body that is never read, a restart under load, and what is left after the end.
 */

import { once } from 'node:events';
import { cpSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askOnce, type Ask, type Outcome } from '../../scripts/compare/outcome.ts';
import { WebSocket, WebSocketServer } from 'ws';
import { linkTools, startTool, titleOf, TOOLS, UNREAD, whyNoTool } from '../../scripts/compare/tools.ts';
import { Installed } from '../cli/installed.ts';
import { Bare } from '../harness/bare.ts';
import { need, needForEach, whyNotLinux } from '../harness/need.ts';
import { freePort } from '../harness/ports.ts';
import type { ServerProcess } from '../harness/process.ts';
import { SilentUpstream } from '../harness/silent-upstream.ts';
import { startServer, startServerOn, whyMissing, type ServerName } from './servers.ts';
import { numberedBody } from './numbered-body.ts';

const TRIES = 20;
/** However busy the machine is, the view responds without the body before it is sent. */
const HOLD_MS = 4000;
const SERVERS = ['Django runserver', 'Flask (Werkzeug)'] as const satisfies readonly ServerName[];
/** Of responses that hang: enough to see that their own proxy loses them. */
const OWN_AT_ONCE = 4;
const SMALL = numberedBody(200_000);
const GET: Ask = {
  method: 'GET',
  upload: 'none',
  path: `/bytes/${SMALL.length}`,
  expected: SMALL,
  slow: false,
};

/** An empty project in which lastbyte was installed, and what it is put into. */
let project: Installed;
beforeAll(async () => {
  project = await Installed.install();
  linkTools(project.folder);
  const program = path.join(import.meta.dirname, 'apps', 'tool-server.js');
  cpSync(program, path.join(project.folder, 'tool-server.mjs'));
}, 120_000);
afterAll(() => project[Symbol.dispose]());

async function inTurn(front: ServerProcess, ask: Ask, times: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  while (outcomes.length < times) outcomes.push(await askOnce(front.port, ask));
  return outcomes;
}

async function closed(socket: WebSocket): Promise<void> {
  socket.close();
  await once(socket, 'close');
}

describe.each(TOOLS.map((tool) => [titleOf(tool), tool] as const))('%s', (_title, tool) => {
  needForEach(whyNoTool(tool));

  test.for(SERVERS)(`delivers every large response of %s that its own proxy loses`, async (name, context) => {
    need(context, whyMissing(name), whyNotLinux());
    await using server = await startServer(name);
    await using front = await startTool(tool, 'lastbyte', server.url, project.folder, HOLD_MS);
    await using own = await startTool(tool, 'own', server.url, project.folder);
    const outcomes = await inTurn(front, UNREAD, TRIES);
    expect(outcomes.filter((outcome) => outcome !== 'whole')).toEqual([]);
    const theirs = Array.from({ length: OWN_AT_ONCE }, () => askOnce(own.port, UNREAD));
    expect(new Set(await Promise.all(theirs))).not.toEqual(new Set(['whole']));
  });

  test('loses nothing while the server is started again', async (context) => {
    need(context, whyMissing('Flask (Werkzeug)'));
    const port = await freePort();
    let server = await startServerOn('Flask (Werkzeug)', port);
    try {
      await using front = await startTool(tool, 'lastbyte', server.url, project.folder);
      const over = new AbortController();
      const clients = Array.from({ length: 4 }, async () => {
        const outcomes: Outcome[] = [];
        while (!over.signal.aborted) outcomes.push(...(await inTurn(front, GET, 1)));
        return outcomes;
      });
      for (let restarts = 0; restarts < 2; restarts += 1) {
        await inTurn(front, GET, 5);
        await server[Symbol.asyncDispose]();
        server = await startServerOn('Flask (Werkzeug)', port);
      }
      await inTurn(front, GET, 5);
      over.abort();
      const outcomes = (await Promise.all(clients)).flat();
      expect(outcomes.filter((outcome) => outcome !== 'whole')).toEqual([]);
      expect(outcomes.length).toBeGreaterThan(4);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });

  test('ends on its own when it is closed, with an upstream that never comes', async () => {
    const target = `http://127.0.0.1:${await freePort()}`;
    await using front = await startTool(tool, 'lastbyte', target, project.folder);
    const waits = askOnce(front.port, GET);
    const ended = once(front.child, 'exit');
    front.signal('SIGUSR2');
    expect(['no response', '503']).toContain(await waits);
    // Neither a signal nor an exit of its own ended it: nothing was left to wait for.
    expect(await ended).toEqual([0, null]);
    expect(readdirSync(project.folder).filter((name) => name.startsWith('.tool-'))).toEqual([]);
  });

  test('tells the upstream when a client leaves', async () => {
    await using upstream = await SilentUpstream.start();
    await using front = await startTool(tool, 'lastbyte', upstream.url, project.folder);
    // Vite refuses hosts that it does not know.
    await upstream.askAndLeave(front.port, 'GET /bytes/1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  });

  test('joins a WebSocket with the upstream, and keeps its own', async () => {
    await using echo = await Bare.start(createServer());
    new WebSocketServer({ server: echo.server }).on('connection', (socket) =>
      socket.on('message', (message: Buffer) => socket.send(`echo ${message.toString()}`)),
    );
    await using front = await startTool(tool, 'lastbyte', echo.url, project.folder);
    // Some of them set up their own socket with the first page that they serve.
    await (await fetch(front.url)).text();
    const joined = new WebSocket(`ws://127.0.0.1:${front.port}/bytes/socket`);
    await once(joined, 'open');
    joined.send('one');
    expect(String((await once(joined, 'message'))[0])).toBe('echo one');
    if (tool.reloadPath !== null) {
      const its = new WebSocket(`ws://127.0.0.1:${front.port}${tool.reloadPath}`);
      expect(await once(its, 'message')).toHaveLength(2);
      await closed(its);
    }
    joined.send('two');
    expect(String((await once(joined, 'message'))[0])).toBe('echo two');
    await closed(joined);
  });
});
