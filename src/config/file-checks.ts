/** Faults of paths: what a setting names must be there before the first client is. */

import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Fault } from './fault.ts';
import { TABLE } from './option-table.ts';
import type { SettingName } from './option.ts';
import type { Origin } from './origin.ts';
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

/** What OpenSSL says of a key is worded by its code; the rest in its own words. */
const KEY_PROBLEMS: ReadonlyMap<string, readonly [problem: string, remedy: string]> = new Map([
  [
    'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    ['does not belong to --tls-cert', 'Give the key that it was issued for'],
  ],
  ['ERR_MISSING_PASSPHRASE', ['is encrypted', 'Give a key without a passphrase: openssl pkey -in … -out …']],
]);

function certificateFault(
  { tlsCert, tlsKey }: Settings,
  origins: ReadonlyMap<SettingName, Origin>,
  doubtful: ReadonlySet<string>,
): readonly Fault[] {
  const { name } = TABLE.tlsKey;
  if (tlsCert === null || tlsKey === null || doubtful.has(name) || doubtful.has(TABLE.tlsCert.name))
    return [];
  try {
    createSecureContext({ cert: readFileSync(tlsCert), key: readFileSync(tlsKey) });
    return [];
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const [problem, remedy] = KEY_PROBLEMS.get(code) ?? [
      `cannot be used with --tls-cert (${cause instanceof Error ? cause.message : String(cause)})`,
      'Give a certificate and its key, both as PEM',
    ];
    return [
      { option: name, value: tlsKey, origin: origins.get('tlsKey') ?? { kind: 'default' }, problem, remedy },
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
