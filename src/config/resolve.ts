/** Settings from the command line, the environment and a configuration file (flag > variable > file > default), or from a program. */

import { checkAll } from './checks.ts';
import { collectFile } from './config-file.ts';
import type { FileSource } from './config-file.ts';
import { ConfigError, shown } from './fault.ts';
import type { Fault, Origin } from './fault.ts';
import { CONFIG_VARIABLE, nameOf, OPTIONS, TABLE } from './options.ts';
import type { ProxyOptions } from './proxy-options.ts';
import type { SettingName, Settings } from './settings.ts';
import { collectFlags, collectProperties, collectVariables } from './sources.ts';
import type { Collected, RawValue } from './sources.ts';

export interface Sources {
  /** By name without the dashes (`body-hold`), each with the text or texts that it was given. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The target that was given as an argument, without its flag. */
  readonly target?: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** The configuration file that `--config` names; null: the one that `LASTBYTE_CONFIG` names, if it does. */
  readonly file: string | null;
}

/** Either settings, deeply frozen, with where each value came from; or everything that is wrong, at once. */
export function loadSettings(sources: Sources): LoadResult {
  const file = fileOf(sources);
  return resolveSettings([
    collectFlags(sources.flags, sources.target ?? null),
    collectVariables(sources.env),
    ...(file === null ? [] : [collectFile(file)]),
  ]);
}

/**
 * The settings that `options` ask for, deeply frozen; what is left out or undefined has its default.
 *
 * @throws ConfigError with everything that is wrong, at once
 */
export function resolveOptions(options: ProxyOptions): Settings {
  const result = readOptions(options);
  if (result.kind === 'faults') throw new ConfigError(result.faults);
  return result.settings;
}

/** The same for who has more to say of what is wrong. */
export function readOptions(options: ProxyOptions): LoadResult {
  return resolveSettings([collectProperties(options)]);
}

/** The configuration file that counts, and what names it; null when there is none. */
export function fileOf({ file, env }: Pick<Sources, 'file' | 'env'>): FileSource | null {
  if (file !== null) return { path: file, namedBy: { kind: 'flag', name: '--config' } };
  const path = env[CONFIG_VARIABLE];
  return path === undefined || path === ''
    ? null
    : { path, namedBy: { kind: 'variable', name: CONFIG_VARIABLE } };
}

/** Where the value of each setting came from. */
export type Provenance = ReadonlyMap<SettingName, Origin>;

export type LoadResult =
  | { readonly kind: 'settings'; readonly settings: Settings; readonly provenance: Provenance }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] };

type Draft = { -readonly [S in SettingName]?: Settings[S] };

/** `sources`: the one that counts most comes first. */
function resolveSettings(sources: readonly Collected[]): LoadResult {
  const given = sources.flatMap((source) => source.values);
  const faults = sources.flatMap((source) => source.faults);
  const draft: Draft = {};
  const provenance = new Map<SettingName, Origin>();
  for (const { setting } of OPTIONS) {
    const choice = choose(setting, given);
    put(draft, setting, choice.value);
    provenance.set(setting, choice.origin);
    faults.push(...choice.faults);
  }
  if (!isWhole(draft)) throw new Error('the option table has no row for a setting');
  const doubtful = new Set(faults.map(({ option }) => option));
  faults.push(...checkAll(draft, provenance, doubtful));
  if (faults.length > 0) return { kind: 'faults', faults };
  return { kind: 'settings', settings: freezeDeep(draft), provenance };
}

interface Choice<S extends SettingName> {
  readonly value: Settings[S];
  readonly origin: Origin;
  readonly faults: readonly Fault[];
}

/** A value that is overridden is read too: a broken line in a file is found now, not when the flag is dropped. */
function choose<S extends SettingName>(setting: S, given: readonly RawValue[]): Choice<S> {
  const option = TABLE[setting];
  const faults: Fault[] = [];
  let chosen: Omit<Choice<S>, 'faults'> | null = null;
  for (const { raw, origin } of given.filter((one) => one.option.setting === setting)) {
    const read = option.type.parse(raw);
    if (read.kind === 'value') {
      chosen ??= { value: read.value, origin };
    } else {
      const { problem, remedy } = read;
      faults.push({ option: nameOf(setting), value: shown(raw) || null, origin, problem, remedy });
    }
  }
  return { ...(chosen ?? { value: option.default, origin: { kind: 'default' } }), faults };
}

function put<S extends SettingName>(draft: Draft, setting: S, value: Settings[S]): void {
  draft[setting] = value;
}

function isWhole(draft: Draft): draft is { -readonly [S in SettingName]: Settings[S] } {
  return OPTIONS.every(({ setting }) => draft[setting] !== undefined);
}

function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freezeDeep);
  return Object.freeze(value);
}
