/** A request that is edited and sent again, and bodies as files, over real exchanges: docs/api.md says how. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { askAdmin } from '../harness/admin.ts';
import type { AdminReply } from '../harness/admin.ts';
import { Client, valueOf } from '../harness/client.ts';
import { Inspected } from '../harness/inspected.ts';
import { need, whyNo } from '../harness/need.ts';
import { RunningCommand } from '../harness/process.ts';
import { ok } from '../harness/upstream.ts';
import type { Script } from '../harness/upstream.ts';

const LOGIN = '{"user":"ada","password":"hunter2"}';

/** Reads each body, and responds with it. */
const echo: Script = async (connection) => {
  const request = await connection.request();
  if (request === null) return;
  const body = await connection.body(Number(valueOf(request.fields, 'content-length') ?? 0));
  await connection.send(ok(body?.toString() ?? '', 'Connection: close\r\n'));
  connection.fin();
};

async function login(inspected: Inspected): Promise<string> {
  const { port } = inspected.proxy;
  using client = await Client.connect(port);
  await client.send(
    `POST /login?token=s3cr3t&page=1 HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer t0k3n\r\n` +
      `X-Team: red\r\nContent-Type: application/json\r\nContent-Length: ${LOGIN.length}\r\n\r\n${LOGIN}`,
  );
  await client.response();
  return (await inspected.proxy.record()).id;
}

async function replay(inspected: Inspected, id: string, wish: unknown): Promise<AdminReply> {
  const headers = { 'Content-Type': 'application/json' };
  const body = JSON.stringify(wish);
  return await askAdmin(inspected.proxy, `/api/exchanges/${id}/replay`, { method: 'POST', headers, body });
}

const detailOf = ({ body }: AdminReply): string => String(Reflect.get(Object(JSON.parse(body)), 'detail'));

describe('a replay', () => {
  test('is sent as it was edited; what was left out stays as it was', async () => {
    await using inspected = await Inspected.start(echo);
    const id = await login(inspected);
    const edit = { method: 'PUT', path: '/other?a=%20', fields: [['X-Team', 'blue']], body: 'näher' };
    const reply = await replay(inspected, id, { confirm: true, edit });
    expect(reply.status).toBe(202);
    const record = await inspected.proxy.record(1);
    expect(record).toMatchObject({ method: 'PUT', url: '/other?a=%20', requestBodyBytes: 6, status: 200 });
    const { fields = [] } = inspected.upstream.requests[1] ?? {};
    expect(['x-team', 'authorization', 'content-length'].map((name) => valueOf(fields, name))).toEqual([
      'blue',
      undefined,
      '6',
    ]);
    expect(await inspected.full(record.id)).toMatchObject({
      replay_of: id,
      request: { body: { content: 'näher' } },
    });
  });

  test('has its secrets again where they were left as they are shown', async () => {
    await using inspected = await Inspected.start(echo);
    const id = await login(inspected);
    const shown = await inspected.full(id);
    expect(shown.path).toBe('/login?token=[redacted]&page=1');
    const edit = {
      path: shown.path,
      fields: [...shown.request.fields, ['X-More', '1']],
      body: shown.request.body?.content,
    };
    expect((await replay(inspected, id, { confirm: true, edit })).status).toBe(202);
    await inspected.proxy.record(1);
    const [, again] = inspected.upstream.requests;
    expect(again?.target).toBe('/login?token=s3cr3t&page=1');
    expect(['authorization', 'x-more'].map((name) => valueOf(again?.fields ?? [], name))).toEqual([
      'Bearer t0k3n',
      '1',
    ]);
    expect(inspected.upstream.connections[1]?.received.toString()).toContain(LOGIN);
  });

  test.each([
    ['path', { path: '/login?token=[redacted]&page=2' }],
    ['field Cookie', { fields: [['Cookie', '[redacted]']] }],
    ['body', { body: '{"user":"eve","password":"[redacted]"}' }],
  ])('never sends the word that stands for a secret: the %s', async (what, edit) => {
    await using inspected = await Inspected.start(echo);
    const id = await login(inspected);
    const reply = await replay(inspected, id, { confirm: true, edit });
    expect([reply.status, detailOf(reply)]).toEqual([
      409,
      expect.stringContaining(`The ${what} holds [redacted]`),
    ]);
    expect(inspected.upstream.requests).toHaveLength(1);
  });

  test.each([
    ['a method of two words', { method: 'GET /admin' }, 'method'],
    ['CONNECT', { method: 'CONNECT' }, 'method'],
    ['a path that ends the line', { path: '/ HTTP/1.1\r\nX: y' }, 'path'],
    ['a whole URL', { path: 'http://evil.test/' }, 'path'],
    ['a value of two lines', { fields: [['X-A', 'b\r\nX-C: d']] }, 'field'],
    ['a name with a colon', { fields: [['X-A:', 'b']] }, 'field'],
    ['a value beyond Latin-1', { fields: [['X-A', '→']] }, 'field'],
    ['a body that is no text', { body: 7 }, 'body'],
  ])('refuses %s', async (_name, edit, word) => {
    await using inspected = await Inspected.start(echo);
    const id = await login(inspected);
    const reply = await replay(inspected, id, { confirm: true, edit });
    expect([reply.status, detailOf(reply)]).toEqual([400, expect.stringContaining(word)]);
    expect(inspected.upstream.requests).toHaveLength(1);
  });

  test('is confirmed by the method that it is sent with', async () => {
    await using inspected = await Inspected.start(echo);
    const id = await inspected.exchange('GET /');
    const reply = await replay(inspected, id, { edit: { method: 'DELETE' } });
    expect([reply.status, detailOf(reply)]).toEqual([
      409,
      expect.stringMatching(/^DELETE may change something/),
    ]);
    expect(inspected.upstream.requests).toHaveLength(1);
  });

  test('of a body that was too long to be kept is sent with another', async () => {
    await using inspected = await Inspected.start(echo);
    const id = await inspected.exchange('POST /', 'x'.repeat(70_000));
    expect((await replay(inspected, id, { confirm: true })).status).toBe(409);
    expect((await replay(inspected, id, { confirm: true, edit: { body: 'short' } })).status).toBe(202);
    expect(await inspected.proxy.record(1)).toMatchObject({ requestBodyBytes: 5, status: 200 });
  });
});

describe('a body as a file', () => {
  test('is what the curl command names, without its secrets', async (context) => {
    need(context, whyNo('curl'));
    await using inspected = await Inspected.start(echo);
    const id = await inspected.exchange('POST /form', LOGIN);
    const { curl_file: file } = await inspected.full(id);
    const reply = await askAdmin(inspected.proxy, `/api/exchanges/${id}/request-body`);
    expect(reply.fields).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="${file?.name}"`,
      'x-content-type-options': 'nosniff',
    });
    const shown = '{"user":"ada","password":"[redacted]"}';
    expect(reply.body).toBe(shown);
    const cwd = mkdtempSync(path.join(tmpdir(), 'lastbyte-test-'));
    writeFileSync(path.join(cwd, file?.name ?? ''), reply.body);
    await using command = new RunningCommand({ file: 'sh', args: ['-c', `${file?.command} -s`], cwd });
    expect((await command.finished).stdout).toBe(shown);
    rmSync(cwd, { recursive: true });
  });

  test('of a response is what the client was sent; where there was none, it says so', async () => {
    await using inspected = await Inspected.start(echo);
    const id = await inspected.exchange('POST /form', 'hello');
    const [body, none] = await Promise.all([
      askAdmin(inspected.proxy, `/api/exchanges/${id}/response-body`),
      askAdmin(inspected.proxy, `/api/exchanges/${await inspected.exchange('GET /')}/request-body`),
    ]);
    expect(body.body).toBe('hello');
    expect([none.status, detailOf(none)]).toEqual([404, 'There was no request body, or it is not kept.']);
  });
});
