/** An upstream that speaks TLS wrongly, or not at all: each fault is told in its own words, in the response and in the log. */

import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Bare } from '../harness/bare.ts';
import { issued } from '../harness/issued.ts';
import type { Issued } from '../harness/issued.ts';
import { startLastbyte } from '../harness/lastbyte.ts';
import { needForEach, whyNo } from '../harness/need.ts';
import { get } from './servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'lastbyte-issued-'));
afterAll(() => rmSync(folder, { recursive: true }));

const good = issued(folder, 'good', 1);
const expired = issued(folder, 'expired', -1);
const authority = issued(folder, 'authority', 1);
const orphan = authority === null ? null : issued(folder, 'orphan', 1, authority);

interface Case {
  readonly server: Server;
  /** `localhost` is the name that all certificates are issued for. */
  readonly host?: string;
  readonly trusted?: Issued | null;
  readonly flags?: readonly string[];
}

function speaking(certificate: Issued | null, options: ServerOptions = {}): Server {
  if (certificate === null) throw new Error('no certificate');
  const { certPath, keyPath } = certificate;
  const pair = { cert: readFileSync(certPath), key: readFileSync(keyPath) };
  return createHttpsServer({ ...pair, ...options }, (_, response) => response.end('over TLS'));
}

async function through({ server, host = 'localhost', trusted = null, flags = [] }: Case) {
  await using upstream = await Bare.start(server);
  const env = trusted === null ? {} : { NODE_EXTRA_CA_CERTS: trusted.certPath };
  const fixed = ['--port', '0', '--no-admin', '--access-log', 'json', '--wait-for-upstream', '0'];
  const args = [`https://${host}:${upstream.port}`, ...fixed, ...flags];
  await using command = startLastbyte(args, { env });
  const { status, body } = await get(await command.url());
  const [line] = await command.says(/\{[^\n]*"event":"exchange"[^\n]*\}/);
  return { status, body, line };
}

describe('an upstream over TLS', () => {
  needForEach(whyNo('openssl'));

  test('whose certificate is trusted and fits is relayed', async () => {
    const { status, body } = await through({ server: speaking(good), trusted: good });
    expect([status, body]).toEqual([200, 'over TLS']);
  });

  const refused: readonly (readonly [string, () => Case, string, RegExp])[] = [
    [
      'is self-signed',
      () => ({ server: speaking(good) }),
      'upstream_certificate',
      /self-signed certificate.*--insecure/,
    ],
    [
      'has expired',
      () => ({ server: speaking(expired), trusted: expired }),
      'upstream_certificate',
      /not valid today \([\d.: ]*CERT_HAS_EXPIRED\).*Renew it/,
    ],
    [
      'is for another name',
      () => ({ server: speaking(good), trusted: good, host: '127.0.0.1' }),
      'upstream_certificate',
      /certificate for another name.*Use that name in --target/,
    ],
    [
      'is from an authority that is not known',
      () => ({ server: speaking(orphan) }),
      'upstream_certificate',
      /unverifiable certificate.*NODE_EXTRA_CA_CERTS/,
    ],
  ];
  test.each(refused)('whose certificate %s is refused with 502', async (_, made, code, words) => {
    const { status, body, line } = await through(made());
    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ type: `urn:lastbyte:error:${code}` });
    expect(body).toMatch(words);
    expect(line).toMatch(words);
    expect((await through({ ...made(), flags: ['--insecure'] })).body).toBe('over TLS');
  });

  const silenced: readonly (readonly [string, () => Server, RegExp])[] = [
    [
      'speaks plain HTTP',
      () => createHttpServer((_, response) => response.end('plain')),
      /did not respond in TLS.*http:\/\/ instead of https:\/\//,
    ],
    ['closes at once', () => createServer((socket) => socket.end()), /broke off the TLS handshake/],
    [
      'speaks only TLS 1.1',
      () => speaking(good, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' }),
      /could not agree on TLS.*versions or ciphers/,
    ],
  ];
  test.each(silenced)('that %s is told with 502', async (_, made, words) => {
    const { status, body, line } = await through({ server: made(), trusted: good });
    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ type: 'urn:lastbyte:error:upstream_tls' });
    expect(body).toMatch(words);
    expect(line).toMatch(words);
  });
});
