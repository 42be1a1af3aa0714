/** Downloads whose names hold bytes beyond ASCII have the same name through the proxy as without it. */

import path from 'node:path';
import { expect, test } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { ServerProcess } from '../harness/process.ts';
import { need } from '../harness/need.ts';
import { pythonWith } from './python.ts';
import { whyMissing } from './servers.ts';

async function download(port: number, target: string): Promise<readonly unknown[]> {
  using client = await Client.connect(port);
  await client.send(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
  const { status, fields, body } = await client.response();
  return [status, valueOf(fields, 'content-disposition'), body.toString()];
}

test.for(['café.txt', 'été.txt', '漏洞.txt'])('Flask sends %s', async (name, context) => {
  need(context, whyMissing('Flask (Werkzeug)'));
  await using server = await ServerProcess.start((port) => ({
    file: pythonWith('flask') ?? 'python3',
    args: ['flask_download.py', String(port)],
    cwd: path.join(import.meta.dirname, 'apps'),
  }));
  await using proxy = await TestProxy.start(server.url);
  for (const way of ['send', 'raw']) {
    const target = `/${way}/${encodeURIComponent(name)}`;
    const direct = await download(server.port, target);
    expect(direct).toMatchObject([200, expect.stringContaining('attachment; filename'), 'whole']);
    expect(await download(proxy.port, target)).toEqual(direct);
  }
  const bytes = Buffer.from(name).toString('latin1');
  expect((await download(proxy.port, `/raw/${encodeURIComponent(name)}`))[1]).toContain(bytes);
});
