/** Faults that no value shows alone: two settings that do not go together. */

import { originText } from './fault.ts';
import type { Fault, Origin } from './fault.ts';
import { TABLE, written } from './option-table.ts';
import type { SettingName, UnitOf } from './option-type.ts';
import type { Settings } from './settings.ts';
import { hostAndPort, isLoopback, targetUrl } from './target.ts';

type Origins = ReadonlyMap<SettingName, Origin>;

interface Finding {
  /** The setting to blame, and the one that it clashes with. */
  readonly blamed: SettingName;
  readonly problem: string;
  readonly remedy: string;
}

interface CrossCheck {
  /** When one of these is at fault on its own, the check would only repeat it. */
  readonly concerns: readonly SettingName[];
  readonly find: (settings: Settings, origins: Origins) => Finding | null;
}

const CHECKS: readonly CrossCheck[] = [
  needs('tlsCert', 'tlsKey'),
  needs('tlsKey', 'tlsCert'),
  atMost('memoryPerBodyBytes', 'memoryTotalBytes'),
  atMost('bodyHoldMs', 'bodyHoldMaxMs'),
  atMost('lingerTimeoutMs', 'lingerTotalMs'),
  { concerns: ['port', 'host', 'socketPath', 'admin', 'adminPort', 'adminHost'], find: samePort },
  { concerns: ['target', 'port', 'host', 'socketPath'], find: ownAddress },
  { concerns: ['target', 'admin', 'adminPort', 'adminHost'], find: ownAdminAddress },
];

/** `doubtful`: names of options that have a fault already. */
export function crossCheck(
  settings: Settings,
  origins: Origins,
  doubtful: ReadonlySet<string>,
): readonly Fault[] {
  return CHECKS.filter(({ concerns }) => !concerns.some((name) => doubtful.has(TABLE[name].name)))
    .map(({ find }) => find(settings, origins))
    .filter((finding) => finding !== null)
    .map((finding) => faultOf(finding, settings, origins));
}

function faultOf({ blamed, problem, remedy }: Finding, settings: Settings, origins: Origins): Fault {
  const origin = origins.get(blamed) ?? { kind: 'default' };
  return { option: TABLE[blamed].name, value: text(blamed, settings), origin, problem, remedy };
}

function needs(setting: 'tlsCert' | 'tlsKey', other: 'tlsCert' | 'tlsKey'): CrossCheck {
  return {
    concerns: ['tlsCert', 'tlsKey'],
    find: (settings) => {
      if (settings[setting] === null || settings[other] !== null) return null;
      const { name } = TABLE[other];
      return { blamed: setting, problem: `needs ${name}`, remedy: `Give ${name} too, or neither` };
    },
  };
}

type Measured = { [S in SettingName]: UnitOf<S> extends null ? never : S }[SettingName];

function atMost(setting: Measured, limit: Measured): CrossCheck {
  return {
    concerns: [setting, limit],
    find: (settings, origins) => {
      if (settings[setting] <= settings[limit]) return null;
      const blamed = origins.get(setting)?.kind === 'default' ? limit : setting;
      const other = blamed === limit ? setting : limit;
      const { name } = TABLE[other];
      const value = `${text(other, settings)} (${originText(origins.get(other) ?? { kind: 'default' })})`;
      const problem = `is ${blamed === limit ? 'under' : 'over'} ${name}, which is ${value}`;
      return { blamed, problem, remedy: `Lower ${TABLE[setting].name} or raise ${TABLE[limit].name}` };
    },
  };
}

function samePort(settings: Settings, origins: Origins): Finding | null {
  const { port, host, socketPath, admin, adminPort, adminHost } = settings;
  if (!admin || socketPath !== null || port === 0 || port !== adminPort || !overlap(host, adminHost))
    return null;
  const blamed = origins.get('adminPort')?.kind === 'default' ? 'port' : 'adminPort';
  const other = blamed === 'port' ? 'admin-port' : 'port';
  return {
    blamed,
    problem: `is ${other} too`,
    remedy: 'Choose another, or turn the admin port off with --no-admin',
  };
}

function ownAddress({ target, port, host, socketPath }: Settings, origins: Origins): Finding | null {
  const blamed =
    origins.get('target')?.kind === 'default' ? (socketPath === null ? 'port' : 'socketPath') : 'target';
  const remedy = 'Give the address of the server behind it';
  if (target.kind === 'unix') {
    if (target.path !== socketPath) return null;
    return { blamed, problem: 'is where lastbyte itself would listen', remedy };
  }
  if (socketPath !== null || target.port !== port || !reaches(target.host, host)) return null;
  const clash = blamed === 'target' ? hostAndPort(host, port) : targetUrl(target);
  const problem = `makes lastbyte its own target, ${clash}: every request would loop`;
  return {
    blamed,
    problem,
    remedy: blamed === 'target' ? remedy : 'Choose another port, or give another target',
  };
}

function ownAdminAddress(
  { target, admin, adminPort, adminHost }: Settings,
  origins: Origins,
): Finding | null {
  if (!admin || target.kind === 'unix' || target.port !== adminPort || !reaches(target.host, adminHost))
    return null;
  const blamed = origins.get('target')?.kind === 'default' ? 'adminPort' : 'target';
  return {
    blamed,
    problem: "makes lastbyte's own admin port the target",
    remedy: 'Choose another admin-port, or --no-admin, or another target',
  };
}

/** Whether two listeners on one port would meet: the unspecified address covers all others. */
function overlap(one: string, other: string): boolean {
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

function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function isLocalName(host: string): boolean {
  return host.toLowerCase() === 'localhost';
}

function text(setting: SettingName, settings: Settings): string | null {
  const value = written(setting, settings[setting]);
  return value === null ? null : String(value);
}
