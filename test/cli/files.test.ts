/** What is wrong with a certificate, a key or a unix socket is told before the first client, in words. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { selfSigned } from '../harness/self-signed.ts';
import { lastbyte, startLastbyte } from '../harness/lastbyte.ts';
import { needForEach, whyNo } from '../harness/need.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const FREE = ['9', '--no-admin', '--port', '0'];

const one = selfSigned();
const other = selfSigned();

describe('a certificate that cannot be used', () => {
  needForEach(whyNo('openssl'));

  function written(name: string, bytes: Buffer | string): string {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  async function refusal(cert: string, key: string): Promise<string> {
    const { code, stdout, stderr } = await lastbyte([...FREE, '--tls-cert', cert, '--tls-key', key]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    return stderr;
  }

  test('a file that is not there', async () => {
    const key = written('key.pem', one?.key ?? '');
    expect(await refusal(join(folder, 'none.pem'), key)).toMatch(/--tls-cert: \S+none\.pem" does not exist/);
  });

  test('a file that is no PEM', async () => {
    const key = written('key.pem', one?.key ?? '');
    expect(await refusal(written('cert.der', '0\u0082'), key)).toMatch(/--tls-cert: \S+ is not a PEM file/);
  });

  test('a PEM file whose inside is broken', async () => {
    const cert = written('cert.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    expect(await refusal(cert, written('key.pem', one?.key ?? ''))).toMatch(/cannot be used with --tls-cert/);
  });

  test('a key that belongs to another certificate', async () => {
    const cert = written('cert.pem', one?.cert ?? '');
    expect(await refusal(cert, written('key.pem', other?.key ?? ''))).toMatch(
      /--tls-key: \S+ does not belong to --tls-cert/,
    );
  });

  test('a key with a passphrase', async () => {
    const cert = written('cert.pem', one?.cert ?? '');
    const plain = written('plain.pem', one?.key ?? '');
    const key = join(folder, 'key.pem');
    spawnSync('openssl', ['pkey', '-in', plain, '-aes256', '-passout', 'pass:secret', '-out', key]);
    expect(readFileSync(key, 'utf8')).toContain('ENCRYPTED');
    expect(await refusal(cert, key)).toMatch(/--tls-key: \S+ is encrypted/);
  });
});

describe('a unix socket to listen on', () => {
  const listening = (path: string): readonly string[] => ['9', '--no-admin', '--socket', path];

  test('that a killed process left behind is replaced, and removed at the end', async () => {
    const path = join(folder, 'app.sock');
    await using killed = startLastbyte(listening(path));
    await killed.url();
    killed.child.kill('SIGKILL');
    await killed.finished;
    expect(existsSync(path)).toBe(true);
    await using command = startLastbyte(listening(path));
    expect(await command.url()).toBe(`unix:${path}`);
    command.child.kill('SIGTERM');
    expect(await command.finished).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(path)).toBe(false);
  });

  test('that a living process listens on is left to it', async () => {
    const path = join(folder, 'app.sock');
    const holder = createServer((socket) => socket.destroy()).listen(path);
    await once(holder, 'listening');
    const { code, stderr } = await lastbyte(listening(path));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The path \S+ is taken .*--socket.*\n$/);
    expect(existsSync(path)).toBe(true);
    holder.close();
    await once(holder, 'close');
  });

  test('that is a file is left alone', async () => {
    const path = join(folder, 'notes.txt');
    writeFileSync(path, 'mine');
    const { code, stderr } = await lastbyte(listening(path));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The path \S+ is taken .*no socket.*\n$/);
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  test('whose path is too long is refused', async () => {
    const { code, stderr } = await lastbyte(listening(join(folder, 'x'.repeat(120))));
    expect(code).toBe(2);
    expect(stderr).toMatch(/--socket: \S+ is \d+ bytes long, above the maximum of 103/);
  });
});
