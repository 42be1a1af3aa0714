/** What the inspector keeps is bounded by what it takes in memory, whatever the traffic: in a process with a small heap. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Client } from '../harness/client.ts';
import { Upstream, answering, ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';
import { startLastbyte } from '../harness/lastbyte.ts';

const SMALL_HEAP = [process.execPath, '--max-old-space-size=96'];
/** A body whose every byte is a chunk of its own. */
const CHUNKS = `${'1\r\nx\r\n'.repeat(65_536)}0\r\n\r\n`;
/** Each of these texts takes some forty bytes in memory. */
const SMALL_FIELDS = 'ab:cd\r\n'.repeat(8_000);

/** The command with its inspector and a small heap, in front of the script. */
async function withInspector(script: Script, send: (client: Client) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lastbyte-test-'));
  await using upstream = await Upstream.start(script);
  const own = [
    '--port',
    '0',
    '--admin-port',
    '0',
    '--spool-dir',
    folder,
    '--access-log',
    'off',
    '--withhold-body',
    'off',
  ];
  await using command = startLastbyte([String(upstream.port), ...own], { node: SMALL_HEAP });
  try {
    const [, url = '', admin = ''] = await command.says(/: (http\S+) -> \S+, admin (\S+)/);
    using client = await Client.connect(Number(new URL(url).port));
    await send(client);
    const summary: unknown = await (await fetch(`${admin}/api/summary`)).json();
    expect(summary, 'all were kept, as far as there is room').toMatchObject({ unlisted: 0 });
    expect(command.child.exitCode).toBeNull();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** In one Buffer for each byte, or in heads that nobody counts, these would take more than the heap. */
const WITH_BODIES = 30;
const WITH_HEADS = 60;
const LONG = { timeout: 120_000 };

test('bodies of responses that come byte by byte', LONG, async () => {
  const response = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`;
  await withInspector(answering(response), async (client) => {
    for (let round = 0; round < WITH_BODIES; round += 1) {
      await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.response()).body.length).toBe(65_536);
    }
  });
});

test('bodies of requests that come byte by byte', LONG, async () => {
  await withInspector(answering(ok('x'), 65_536), async (client) => {
    for (let round = 0; round < WITH_BODIES; round += 1) {
      await client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`);
      expect((await client.response()).status).toBe(200);
    }
  });
});

test('heads of many small fields, on both sides', LONG, async () => {
  await withInspector(answering(ok('x', SMALL_FIELDS)), async (client) => {
    for (let round = 0; round < WITH_HEADS; round += 1) {
      await client.send(`GET / HTTP/1.1\r\nHost: a\r\n${SMALL_FIELDS}\r\n`);
      expect((await client.response()).status).toBe(200);
    }
  });
});
