import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultText } from '../../../src/config/fault.ts';
import { loadSettings } from '../../../src/config/resolve.ts';

let folder = '';
let pem = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-checks-'));
  pem = join(folder, 'some.pem');
  writeFileSync(pem, '-----BEGIN CERTIFICATE-----\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

function faultsOf(flags: Readonly<Record<string, string>>): readonly string[] {
  const result = loadSettings({ flags, env: {}, file: null });
  return result.kind === 'faults'
    ? result.faults.map((fault) => faultText(fault).replaceAll(`${folder}/`, ''))
    : [];
}

describe('two settings that do not go together', () => {
  test('a certificate needs its key, and the other way round', () => {
    expect(faultsOf({ 'tls-cert': pem })).toEqual([
      '--tls-cert: "some.pem" needs tls-key. Set tls-key too, or neither of them.',
    ]);
    expect(faultsOf({ 'tls-key': pem })).toEqual([
      '--tls-key: "some.pem" needs tls-cert. Set tls-cert too, or neither of them.',
    ]);
    expect(faultsOf({ 'tls-cert': pem, 'tls-key': pem }).join()).not.toContain('needs');
  });

  test('one body may not have more memory than all have together', () => {
    expect(faultsOf({ 'memory-per-body': '64mb', 'memory-total': '32mb' })).toEqual([
      '--memory-per-body: "64mb" is above memory-total, which is 32mb (--memory-total). Lower memory-per-body or raise memory-total.',
    ]);
  });

  test('the one that was given is blamed, not the default that it meets', () => {
    expect(faultsOf({ 'memory-total': '8mb' })).toEqual([
      '--memory-total: "8mb" is below memory-per-body, which is 16mb (default). Lower memory-per-body or raise memory-total.',
    ]);
  });

  test('a hold may not be longer than the longest, nor a linger than its total', () => {
    expect(faultsOf({ 'body-hold': '10s' })[0]).toMatch(
      /^--body-hold: "10s" is above body-hold-max, which is 5s/,
    );
    expect(faultsOf({ 'linger-timeout': '1m' })[0]).toMatch(
      /^--linger-timeout: "1m" is above linger-total, which is 30s/,
    );
  });

  test('equal limits are no fault', () => {
    expect(faultsOf({ 'body-hold': '5s', 'memory-per-body': '96mb', 'linger-timeout': '30s' })).toEqual([]);
  });

  test('a value that is wrong by itself is not compared', () => {
    expect(faultsOf({ 'memory-per-body': 'lots', 'memory-total': '1mb' })).toHaveLength(1);
  });
});

describe('the port and the admin port', () => {
  const same =
    '--admin-port: "8080" is the same as port. Choose another port, or turn the admin port off with --no-admin.';
  test.each([
    [{ 'admin-port': '8080' }],
    [{ 'admin-port': '8080', host: '0.0.0.0' }],
    [{ 'admin-port': '8080', 'admin-host': '::' }],
    [{ 'admin-port': '8080', 'admin-host': 'localhost' }],
  ])('meet in %j', (flags) => {
    expect(faultsOf(flags)).toEqual([same]);
  });
  test.each([
    [{ 'admin-port': '8080', 'admin-host': '127.0.0.2' }],
    [{ 'admin-port': '8080', admin: 'false' }],
    [{ 'admin-port': '8080', socket: '/run/lastbyte.sock' }],
    [{ 'admin-port': '0', port: '0' }],
  ])('do not meet in %j', (flags) => {
    expect(faultsOf(flags)).toEqual([]);
  });
  test('the port is blamed when the admin port is the default', () => {
    expect(faultsOf({ port: '8081' })[0]).toMatch(/^--port: "8081" is the same as admin-port\./);
  });
});

describe('a target that is the proxy itself', () => {
  test.each([
    [{ target: '8080' }],
    [{ target: 'localhost:8080' }],
    [{ target: ':8080', host: '::1' }],
    [{ target: '8080', host: '::' }],
    [{ target: '127.0.0.1:8080', host: '0.0.0.0' }],
    [{ target: '0.0.0.0:8080' }],
    [{ target: 'https://[::1]:9000', host: '::1', port: '9000' }],
    [{ target: 'unix:/run/a.sock', socket: '/run/a.sock' }],
  ])('%j would loop', (flags) => {
    expect(faultsOf(flags)).toHaveLength(1);
    expect(faultsOf(flags)[0]).toMatch(
      /^--target: .* (makes lastbyte its own target|is the socket that lastbyte itself listens on)/,
    );
  });
  test.each([
    [{ target: '8080', host: '127.0.0.2' }],
    [{ target: '127.0.0.1:8080', host: '::1' }],
    [{ target: '8080', socket: '/run/a.sock' }],
  ])('%j would not loop', (flags) => {
    expect(faultsOf(flags)).toEqual([]);
  });
  test('is found also when the port was moved onto the default target', () => {
    expect(faultsOf({ port: '8000' })).toEqual([
      '--port: "8000" makes lastbyte its own target, http://127.0.0.1:8000: every request would loop. Choose another port or another target.',
    ]);
  });
  test('may be its admin port', () => {
    expect(faultsOf({ target: '8081' })[0]).toMatch(
      /^--target: .* makes lastbyte's own admin port the target/,
    );
  });
  test.each([
    [{ target: 'django:8080', host: '0.0.0.0' }],
    [{ target: '[::1]:8080' }],
    [{ target: '8080', socket: '/run/a.sock' }],
    [{ target: '8081', admin: 'false' }],
  ])('is not what %j is', (flags) => {
    expect(faultsOf(flags)).toEqual([]);
  });
});

describe('what a path names', () => {
  test('must be there', () => {
    expect(faultsOf({ 'spool-dir': join(folder, 'none') })).toEqual([
      '--spool-dir: "none" does not exist. Set it to a folder that this user can write to.',
    ]);
  });
  test('must be a folder for the spool, and a PEM file for TLS', () => {
    const other = join(folder, 'other.txt');
    writeFileSync(other, 'not a certificate');
    expect(faultsOf({ 'spool-dir': pem })[0]).toContain('is not a folder');
    expect(faultsOf({ 'tls-cert': other, 'tls-key': folder })).toEqual([
      '--tls-cert: "other.txt" is not a PEM file. Set it to the path of a PEM file.',
      expect.stringMatching(/^--tls-key: .* is a folder\. Set it to the path of a PEM file\.$/),
    ]);
  });
});
