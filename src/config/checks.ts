/** Faults that show only once all values are known: settings that do not fit together, and paths that cannot be used. */

import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { originText, pathProblem } from './fault.ts';
import type { Fault, Origin } from './fault.ts';
import { nameOf, written } from './options.ts';
import type { SettingName, Settings } from './settings.ts';
import { hostAndPort, isLoopback, isUnspecified, targetUrl } from './target.ts';

type Origins = ReadonlyMap<SettingName, Origin>;

interface Conflict {
  /** The setting to blame. */
  readonly blamed: SettingName;
  readonly problem: string;
  readonly remedy: string;
}

interface Check {
  /** If one of these has a fault of its own, the check is skipped. */
  readonly concerns: readonly SettingName[];
  readonly find: (settings: Settings, origins: Origins) => Conflict | null;
}

const CHECKS: readonly Check[] = [
  needs('tlsCert', 'tlsKey'),
  needs('tlsKey', 'tlsCert'),
  atMost('memoryPerBodyBytes', 'memoryTotalBytes'),
  atMost('bodyHoldMs', 'bodyHoldMaxMs'),
  atMost('lingerTimeoutMs', 'lingerTotalMs'),
  { concerns: ['port', 'host', 'socketPath', 'admin', 'adminPort', 'adminHost'], find: samePort },
  { concerns: ['target', 'port', 'host', 'socketPath'], find: ownAddress },
  { concerns: ['target', 'admin', 'adminPort', 'adminHost'], find: ownAdminAddress },
  // Files must exist before the first client connects.
  usablePath('tlsCert', unreadable, 'Set it to the path of a PEM file'),
  usablePath('tlsKey', unreadable, 'Set it to the path of a PEM file'),
  usablePath('spoolDir', unwritableFolder, 'Set it to a folder that this user can write to'),
  { concerns: ['tlsCert', 'tlsKey'], find: unusableKey },
];

/** @param faulty names of options that already have a fault */
export function checkAll(
  settings: Settings,
  origins: Origins,
  faulty: ReadonlySet<string>,
): readonly Fault[] {
  return CHECKS.filter(({ concerns }) => !concerns.some((name) => faulty.has(nameOf(name))))
    .map(({ find }) => find(settings, origins))
    .filter((conflict) => conflict !== null)
    .map((conflict) => faultOf(conflict, settings, origins));
}

function faultOf({ blamed, problem, remedy }: Conflict, settings: Settings, origins: Origins): Fault {
  return {
    option: nameOf(blamed),
    value: text(blamed, settings),
    origin: originOf(origins, blamed),
    problem,
    remedy,
  };
}

function originOf(origins: Origins, setting: SettingName): Origin {
  return origins.get(setting) ?? { kind: 'default' };
}

function needs(setting: 'tlsCert' | 'tlsKey', other: 'tlsCert' | 'tlsKey'): Check {
  return {
    concerns: ['tlsCert', 'tlsKey'],
    find: (settings) => {
      if (settings[setting] === null || settings[other] !== null) return null;
      const name = nameOf(other);
      return { blamed: setting, problem: `needs ${name}`, remedy: `Set ${name} too, or neither of them` };
    },
  };
}

type SizeOrTime = Extract<SettingName, `${string}Ms` | `${string}Bytes`>;

function atMost(setting: SizeOrTime, limit: SizeOrTime): Check {
  return {
    concerns: [setting, limit],
    find: (settings, origins) => {
      if (settings[setting] <= settings[limit]) return null;
      const blamed = originOf(origins, setting).kind === 'default' ? limit : setting;
      const other = blamed === limit ? setting : limit;
      const value = `${text(other, settings)} (${originText(originOf(origins, other))})`;
      const problem = `is ${blamed === limit ? 'below' : 'above'} ${nameOf(other)}, which is ${value}`;
      return { blamed, problem, remedy: `Lower ${nameOf(setting)} or raise ${nameOf(limit)}` };
    },
  };
}

function samePort(settings: Settings, origins: Origins): Conflict | null {
  const { port, host, socketPath, admin, adminPort, adminHost } = settings;
  if (!admin || socketPath !== null || port === 0 || port !== adminPort || !collide(host, adminHost))
    return null;
  const blamed = originOf(origins, 'adminPort').kind === 'default' ? 'port' : 'adminPort';
  const other = blamed === 'port' ? 'admin-port' : 'port';
  return {
    blamed,
    problem: `is the same as ${other}`,
    remedy: 'Choose another port, or turn the admin port off with --no-admin',
  };
}

function ownAddress({ target, port, host, socketPath }: Settings, origins: Origins): Conflict | null {
  const blamed =
    originOf(origins, 'target').kind === 'default' ? (socketPath === null ? 'port' : 'socketPath') : 'target';
  const remedy = 'Set it to the address of your server';
  if (target.kind === 'unix') {
    if (target.path !== socketPath) return null;
    return { blamed, problem: 'is the socket that lastbyte itself listens on', remedy };
  }
  if (socketPath !== null || target.port !== port || !reaches(target.host, host)) return null;
  const clash = blamed === 'target' ? hostAndPort(host, port) : targetUrl(target);
  const problem = `makes lastbyte its own target, ${clash}: every request would loop`;
  return {
    blamed,
    problem,
    remedy: blamed === 'target' ? remedy : 'Choose another port or another target',
  };
}

function ownAdminAddress(
  { target, admin, adminPort, adminHost }: Settings,
  origins: Origins,
): Conflict | null {
  if (!admin || target.kind === 'unix' || target.port !== adminPort || !reaches(target.host, adminHost))
    return null;
  const blamed = originOf(origins, 'target').kind === 'default' ? 'adminPort' : 'target';
  return {
    blamed,
    problem: "makes lastbyte's own admin port the target",
    remedy: 'Choose another target or admin-port, or turn the admin port off with --no-admin',
  };
}

/** Whether two listeners on one port would collide: the unspecified address covers all others. */
function collide(one: string, other: string): boolean {
  return (
    one === other ||
    isUnspecified(one) ||
    isUnspecified(other) ||
    (isLocalName(one) && isLoopback(other)) ||
    (isLoopback(one) && isLocalName(other))
  );
}

/** Whether a connection to `host` would arrive at a listener on `listening`. */
function reaches(host: string, listening: string): boolean {
  if (host === listening) return true;
  if (isUnspecified(listening) || isUnspecified(host))
    return isLoopback(host) || isLoopback(listening) || isUnspecified(host);
  return (isLocalName(host) && isDialled(listening)) || (isDialled(host) && isLocalName(listening));
}

/** One of the addresses that `localhost` stands for: see upstream/dial.ts. */
function isDialled(host: string): boolean {
  return isLocalName(host) || host === '127.0.0.1' || host === '::1';
}

function isLocalName(host: string): boolean {
  return host.toLowerCase() === 'localhost';
}

function text(setting: SettingName, settings: Settings): string | null {
  const value = written(setting, settings[setting]);
  return value === null ? null : String(value);
}

function usablePath(
  setting: 'tlsCert' | 'tlsKey' | 'spoolDir',
  problemOf: (path: string) => string | null,
  remedy: string,
): Check {
  return {
    concerns: [setting],
    find: ({ [setting]: value }) => {
      const problem = value === null ? null : problemOf(value);
      return problem === null ? null : { blamed: setting, problem, remedy };
    },
  };
}

type KeyProblem = readonly [problem: string, remedy: string];

const ENCRYPTED: KeyProblem = ['is encrypted', 'Use a key without a passphrase; openssl pkey can remove it'];
const MISMATCH: KeyProblem = [
  'does not belong to --tls-cert',
  'Use the key that the certificate was issued for',
];

/** A file that cannot be read has its own check. */
function unusableKey({ tlsCert, tlsKey }: Settings): Conflict | null {
  if (tlsCert === null || tlsKey === null || (unreadable(tlsCert) ?? unreadable(tlsKey)) !== null)
    return null;
  const found = keyProblem(readFileSync(tlsCert), readFileSync(tlsKey));
  return found === null ? null : { blamed: 'tlsKey', problem: found[0], remedy: found[1] };
}

function keyProblem(cert: Buffer, key: Buffer): KeyProblem | null {
  // OpenSSL has no single error for this, because it tries an empty passphrase (RFC 7468 section 11, RFC 1421).
  if (/ENCRYPTED/.test(key.toString('latin1'))) return ENCRYPTED;
  try {
    createSecureContext({ cert, key });
    return null;
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if ('code' in cause && cause.code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') return MISMATCH;
    return [
      `cannot be used with --tls-cert (${cause.message})`,
      'Use a certificate and its key, both in PEM format',
    ];
  }
}

function unreadable(path: string): string | null {
  return readingProblem(() => (readFileSync(path).includes('-----BEGIN ') ? null : 'is not a PEM file'));
}

function unwritableFolder(path: string): string | null {
  return readingProblem(() => {
    if (!statSync(path).isDirectory()) return 'is not a folder';
    accessSync(path, constants.W_OK | constants.X_OK);
    return null;
  });
}

function readingProblem(check: () => string | null): string | null {
  try {
    return check();
  } catch (cause) {
    return pathProblem(cause);
  }
}
