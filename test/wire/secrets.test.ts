/** Secrets that pass through are delivered, and shown nowhere: not by the API, the HAR, the metrics, nor any log. */

import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createLog } from '../../src/observe/log.ts';
import { FeedReader, askAdmin } from '../harness/admin.ts';
import { Client } from '../harness/client.ts';
import { Inspected } from '../harness/inspected.ts';
import { ok } from '../harness/upstream.ts';

/** Every one of them holds this word, which stands nowhere else. */
const SECRET = 'gEhEim';

const FIELDS = [
  `Authorization: Bearer ${SECRET}1`,
  `Proxy-Authorization: Basic ${SECRET}2`,
  `Cookie: sessionid=${SECRET}3; csrftoken=${SECRET}4`,
  `X-Api-Key: ${SECRET}5`,
  `X-CSRFToken: ${SECRET}6`,
  `Referer: http://a.test/?access_token=${SECRET}7`,
  `HX-Current-URL: http://a.test/?access_token=${SECRET}8`,
  `Ocp-Apim-Subscription-Key: ${SECRET}9`,
];

const BOUNDARY = 'x7MA4';
const BODIES: readonly (readonly [type: string, body: string])[] = [
  [
    'application/x-www-form-urlencoded',
    `user=me&password=${SECRET}&csrfmiddlewaretoken=${SECRET}&next=%2F%3Ftoken%3D${SECRET}`,
  ],
  [
    'application/json',
    `{"user": "me", "password": "${SECRET} \\" ${SECRET}", "nested": {"api_key":"${SECRET}"}}`,
  ],
  [
    'application/json',
    `{"tokens": ["${SECRET}"], "pass\\u0077ord": "${SECRET}", "body": "{\\"session\\": {\\"id\\": \\"${SECRET}\\"}}"}`,
  ],
  ['application/json', `{"user": "${'me'.repeat(40_000)}", "password": "${SECRET}"}`],
  ['application/octet-stream', `client_assertion=${SECRET}&SAMLResponse=${SECRET}`],
  ['text/plain', `see http://a.test/?user=me&token=${SECRET}`],
  [
    `multipart/form-data; boundary=${BOUNDARY}`,
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="password"\r\n\r\n${SECRET}\r\n${SECRET}\r\n--${BOUNDARY}\r\n` +
      `Content-Disposition: form-data; name="file"; filename="a"\r\n\r\n\0\xff\r\n--${BOUNDARY}--\r\n`,
  ],
];

const PAGE =
  `<meta name="csrf-token" content="${SECRET}"><input type="hidden" name="csrfmiddlewaretoken" value="${SECRET}">` +
  `<input type=password value='${SECRET}'><a href="/reset?token=${SECRET}">x</a><script>var a = {"access_token": "${SECRET}"}</script>`;

test('planted secrets are delivered, and are found nowhere else', async () => {
  await using inspected = await Inspected.start(async (connection) => {
    const request = await connection.request();
    const length = Number(request?.fields[request.fields.indexOf('Content-Length') + 1] ?? 0);
    await connection.body(length);
    const fields = `Set-Cookie: sid=${SECRET}\r\nLocation: /next?code=${SECRET}\r\nContent-Type: text/html\r\nConnection: close\r\n`;
    const answer = ok(PAGE, fields);
    await connection.send(request?.target.startsWith('/cut') === true ? answer.slice(0, -10) : answer);
    connection.fin();
  });
  const { proxy } = inspected;
  const logs = (['pretty', 'json', 'combined'] as const).map((format) => {
    const stream = new PassThrough();
    return { log: createLog({ level: 'debug', format, stream, color: false, quiet: false }), stream };
  });
  proxy.proxy.on('exchange', (record) => logs.forEach(({ log }) => log.exchange(record)));
  using feed = await FeedReader.open(proxy);

  // Each path is a route of its own: one that was cut is held next time.
  const asked = BODIES.flatMap((one, at) => [
    [`/whole/${'abcdefg'.charAt(at)}`, ...one] as const,
    [`/cut/${'abcdefg'.charAt(at)}`, ...one] as const,
  ]);
  for (const [path, type, body] of asked) {
    using client = await Client.connect(proxy.port);
    await client.send(
      `POST ${path}?user=me&token=${SECRET}&key=${SECRET}&variables=%7B%22password%22:%22${SECRET}%22%7D HTTP/1.1\r\nHost: a\r\n${FIELDS.join('\r\n')}\r\nConnection: close\r\n` +
        `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const response = await client.response();
    if (path.startsWith('/whole')) expect(response.body.toString()).toBe(PAGE);
    else expect(response.status).toBe(502);
  }
  await proxy.record(BODIES.length * 2 - 1);
  for (const record of proxy.records)
    await feed.next('exchange', (row) => JSON.stringify(row).includes(record.id));
  expect(inspected.upstream.requests[0]?.fields.join(' ')).toContain(`${SECRET}1`);

  const shown: string[] = feed.events.map((event) => JSON.stringify(event));
  for (const path of [
    '/api/exchanges',
    '/api/summary',
    '/api/har',
    '/metrics',
    `/api/exchanges?text=${SECRET}`,
  ]) {
    shown.push((await askAdmin(proxy, path)).body);
  }
  for (const { id } of proxy.records) {
    const { body } = await askAdmin(proxy, `/api/exchanges/${id}`);
    shown.push(body, ...base64In(body));
  }
  for (const { log, stream } of logs) {
    await log.close();
    stream.end();
    shown.push(await text(stream));
  }
  expect(shown.join('\n').length).toBeGreaterThan(20_000);
  expect(shown.filter((one) => one.includes(SECRET))).toEqual([]);
});

/** What a reader of the JSON would see after decoding its base64. */
function base64In(json: string): string[] {
  const contents = [...json.matchAll(/"encoding":"base64","content":"([^"]*)"/g)];
  return contents.map(([, content = '']) => Buffer.from(content, 'base64').toString('latin1'));
}
