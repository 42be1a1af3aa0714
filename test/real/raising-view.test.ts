// Behind runserver, a view that streams and raises midway ends its response as one that is done.

import path from 'node:path';
import { test, expect } from 'vitest';
import { Client, valueOf } from '../harness/client.ts';
import { TestProxy } from '../harness/proxy.ts';
import { ServerProcess } from '../harness/process.ts';
import { need } from '../harness/need.ts';
import { pythonWith } from './python.ts';
import { whyMissing } from './servers.ts';

test('is delivered as not provable, or refused where the user wants that', async (context) => {
  need(context, whyMissing('Django runserver'));
  await using server = await ServerProcess.start((port) => ({
    file: pythonWith('django') ?? 'python3',
    args: ['lying_app.py', 'runserver', '--noreload', `127.0.0.1:${port}`],
    cwd: path.join(import.meta.dirname, 'apps'),
  }));
  for (const [unverifiable, status] of [
    ['deliver', 200],
    ['refuse', 502],
  ] as const) {
    await using proxy = await TestProxy.start(server.url, { unverifiable });
    using client = await Client.connect(proxy.port);
    await client.send('GET /raises HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    const response = await client.response();
    expect(response.status).toBe(status);
    expect(valueOf(response.fields, 'proxy-status')).toMatch(/nothing proves|http_response_incomplete/);
    expect((await proxy.record()).verdict).toBe('unverifiable');
  }
});
