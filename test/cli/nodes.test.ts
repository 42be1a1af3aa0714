/** Every Node that is supported runs the command in silence: LASTBYTE_NODES names further binaries, colon-separated. */

import { describe, expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { halfByHalf, wrongBodies } from '../harness/distinct-bodies.ts';
import { Upstream, ok } from '../harness/upstream.ts';
import type { Script, UpstreamConnection } from '../harness/upstream.ts';
import { lastbyte, startLastbyte } from '../harness/lastbyte.ts';
import { need } from '../harness/need.ts';
import { NODES } from './nodes.ts';

const answers: Script = async (connection) => {
  for (;;) {
    const request = await connection.request();
    if (request === null) return connection.fin();
    if (request.target === '/ws') {
      await connection.send(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\nhello;',
      );
      await connection.peerEnd();
      return connection.fin();
    }
    if (request.method === 'POST') await connection.body(3);
    await connection.send(ok(request.target));
  }
};

test('CI runs the command on more Nodes than one', (context) => {
  need(context, NODES.length > 1 ? null : 'LASTBYTE_NODES names no further Node.');
});

describe.each(NODES)('Node %s', (_version, path) => {
  test.each(['GET', 'POST'] as const)('gives each client its own bytes (%s)', async (method) => {
    await using upstream = await Upstream.start(halfByHalf());
    const args = [upstream.url, '--port', '0', '--no-admin', '--withhold-body', 'off'];
    await using command = startLastbyte(args, { node: [path] });
    const { port } = new URL(await command.url());
    expect(await wrongBodies(Number(port), method)).toEqual([]);
  });

  test('buffers, streams, upgrades and stops without a word on stderr', async () => {
    await using upstream = await Upstream.start(answers);
    const args = [
      upstream.url,
      '--port',
      '0',
      '--admin-port',
      '0',
      '--stream',
      '/exempt/',
      '--linger-timeout',
      '20ms',
    ];
    await using command = startLastbyte(args, { node: [path, '--pending-deprecation', '--trace-warnings'] });
    const [, port] = await command.says(/http:\/\/127\.0\.0\.1:(\d+)/);
    using client = await Client.connect(Number(port));
    await client.send('GET /a HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('/a');
    await client.send(
      'POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    );
    expect((await client.response()).body.toString()).toBe('/b');
    await client.send('GET /exempt/c HTTP/1.1\r\nHost: x\r\n\r\n');
    expect((await client.response()).body.toString()).toBe('/exempt/c');
    await client.send('GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n');
    await client.until('hello;');
    client.halfClose();
    await client.end();
    command.child.kill('SIGTERM');
    const { code, stderr } = await command.finished;
    expect([code, stderr]).toEqual([0, '']);
  });

  test('tells a reset after a whole response from an orderly end, each time, in silence', async () => {
    const closing =
      (close: (connection: UpstreamConnection) => void): Script =>
      async (connection) => {
        if ((await connection.request()) === null) return connection.fin();
        await connection.send(ok('whole'));
        close(connection);
      };
    const seen = async (script: Script): Promise<unknown> => {
      await using upstream = await Upstream.start(script);
      const args = ['diagnose', upstream.url, '--scenario', 'get-closed', '--tries', '50', '--json'];
      const { stdout, stderr } = await lastbyte(args, {
        node: [path, '--pending-deprecation', '--trace-warnings'],
      });
      expect(stderr).toBe('');
      const report: unknown = JSON.parse(stdout);
      return report;
    };
    expect(await seen(closing((connection) => connection.reset()))).toMatchObject({
      verdict: 'fault',
      scenarios: [{ direct: { outcomes: { 'reset-behind': 50 }, closedBy: ['rst'] } }],
    });
    expect(await seen(closing((connection) => connection.fin()))).toMatchObject({
      verdict: 'no-fault',
      scenarios: [{ direct: { outcomes: { whole: 50 }, closedBy: ['fin'] } }],
    });
  });
});
