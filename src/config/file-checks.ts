/** Faults of paths: what a setting names must be there before the first client is. */

import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Fault, Origin } from './fault.ts';
import { TABLE } from './option-table.ts';
import type { SettingName } from './option-type.ts';
import type { Settings } from './settings.ts';

type PathSetting = 'tlsCert' | 'tlsKey' | 'spoolDir';

const CHECKS: readonly (readonly [PathSetting, (path: string) => string | null])[] = [
  ['tlsCert', unreadable],
  ['tlsKey', unreadable],
  ['spoolDir', unwritableFolder],
];

const SYSTEM_PROBLEMS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['EACCES', 'is not open to this user'],
  ['EISDIR', 'is a folder'],
  ['ENOTDIR', 'does not exist'],
  ['EROFS', 'is read-only'],
]);

/** `doubtful`: names of options that have a fault already. */
export function checkFiles(
  settings: Settings,
  origins: ReadonlyMap<SettingName, Origin>,
  doubtful: ReadonlySet<string>,
): readonly Fault[] {
  const faults = CHECKS.flatMap(([setting, problemOf]) => {
    const { name } = TABLE[setting];
    const path = settings[setting];
    const problem = path === null || doubtful.has(name) ? null : problemOf(path);
    if (problem === null) return [];
    const origin: Origin = origins.get(setting) ?? { kind: 'default' };
    const remedy =
      setting === 'spoolDir' ? 'Give a folder that this user may write in' : 'Give the path of a PEM file';
    return [{ option: name, value: path, origin, problem, remedy }];
  });
  return [...faults, ...(faults.length > 0 ? [] : certificateFault(settings, origins, doubtful))];
}

type KeyProblem = readonly [problem: string, remedy: string];

const ENCRYPTED: KeyProblem = ['is encrypted', 'Give a key without a passphrase, as openssl pkey writes it'];
const MISMATCH: KeyProblem = [
  'does not belong to --tls-cert',
  'Give the key that the certificate was issued for',
];

function certificateFault(
  { tlsCert, tlsKey }: Settings,
  origins: ReadonlyMap<SettingName, Origin>,
  doubtful: ReadonlySet<string>,
): readonly Fault[] {
  const { name } = TABLE.tlsKey;
  if (tlsCert === null || tlsKey === null || doubtful.has(name) || doubtful.has(TABLE.tlsCert.name))
    return [];
  const found = keyProblem(readFileSync(tlsCert), readFileSync(tlsKey));
  if (found === null) return [];
  const [problem, remedy] = found;
  const origin: Origin = origins.get('tlsKey') ?? { kind: 'default' };
  return [{ option: name, value: tlsKey, origin, problem, remedy }];
}

function keyProblem(cert: Buffer, key: Buffer): KeyProblem | null {
  // OpenSSL tells of it in different words each time: it tries the empty passphrase (RFC 7468 section 11, RFC 1421).
  if (/ENCRYPTED/.test(key.toString('latin1'))) return ENCRYPTED;
  try {
    createSecureContext({ cert, key });
    return null;
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if ('code' in cause && cause.code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return MISMATCH;
    return [
      `cannot be used with --tls-cert (${cause.message})`,
      'Give a certificate and its key, both as PEM',
    ];
  }
}

function unreadable(path: string): string | null {
  return failing(() => (readFileSync(path).includes('-----BEGIN ') ? null : 'is not a PEM file'));
}

function unwritableFolder(path: string): string | null {
  return failing(() => {
    if (!statSync(path).isDirectory()) return 'is not a folder';
    accessSync(path, constants.W_OK | constants.X_OK);
    return null;
  });
}

function failing(look: () => string | null): string | null {
  try {
    return look();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    return SYSTEM_PROBLEMS.get(code) ?? `cannot be used (${code || String(cause)})`;
  }
}
