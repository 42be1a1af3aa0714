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
  /** By name without the dashes (`body-hold`), each with its text, or texts if repeated. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** The target as an argument, without a flag. */
  readonly target?: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** The file that `--config` names; null: the one that `LASTBYTE_CONFIG` names, if any. */
  readonly file: string | null;
}

/** Returns the settings, deeply frozen, and where each value came from; or everything that is wrong. */
export function loadSettings(sources: Sources): LoadResult {
  const file = fileOf(sources);
  return resolveSettings([
    collectFlags(sources.flags, sources.target ?? null),
    collectVariables(sources.env),
    ...(file === null ? [] : [collectFile(file)]),
  ]);
}

/**
 * Returns the settings for `options`, deeply frozen; an option that is left out or undefined has its default.
 *
 * @throws ConfigError with everything that is wrong
 */
export function resolveOptions(options: ProxyOptions): Settings {
  const result = readOptions(options);
  if (result.kind === 'faults') throw new ConfigError(result.faults);
  return result.settings;
}

/** The same, for callers that add faults of their own. */
export function readOptions(options: ProxyOptions): LoadResult {
  return resolveSettings([collectProperties(options)]);
}

/** The configuration file, and what names it; null: there is none. */
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

/** @param sources the strongest comes first */
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
  if (!isComplete(draft)) throw new Error('the option table has no row for a setting');
  const faulty = new Set(faults.map(({ option }) => option));
  faults.push(...checkAll(draft, provenance, faulty));
  if (faults.length > 0) return { kind: 'faults', faults };
  return { kind: 'settings', settings: freezeDeep(draft), provenance };
}

interface Choice<S extends SettingName> {
  readonly value: Settings[S];
  readonly origin: Origin;
  readonly faults: readonly Fault[];
}

/** A value that is overridden is checked too: a fault in a file shows now, not when the flag is removed. */
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

function isComplete(draft: Draft): draft is { -readonly [S in SettingName]: Settings[S] } {
  return OPTIONS.every(({ setting }) => draft[setting] !== undefined);
}

function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(freezeDeep);
  return Object.freeze(value);
}
