/** The options of `createProxy`: the table's rows as properties, for programs. */

import { ConfigError } from './fault.ts';
import { collect, unknownName } from './sources.ts';
import type { Collected, CollectedEntry } from './sources.ts';
import { OPTIONS, propertyOf } from './option-table.ts';
import type { AnyOption } from './option-type.ts';
import type { ProxyOptions } from './proxy-options.ts';
import { resolveSettings } from './resolve.ts';
import type { Settings } from './settings.ts';

export type { ProxyOptions } from './proxy-options.ts';

/**
 * The settings that `options` ask for, deeply frozen; what is left out or undefined has its default.
 *
 * @throws ConfigError with everything that is wrong, at once
 */
export function resolveOptions(options: ProxyOptions): Settings {
  const result = resolveSettings([collectProperties(options)]);
  if (result.kind === 'faults') throw new ConfigError(result.faults);
  return result.settings;
}

/** A caller without types may give anything: unknown properties are faults here too. */
function collectProperties(options: ProxyOptions): Collected {
  return collect(Object.entries(options).map(([name, raw]: [string, unknown]) => collectProperty(name, raw)));
}

function collectProperty(name: string, raw: unknown): CollectedEntry | null {
  if (raw === undefined) return null;
  const origin = { kind: 'property', name } as const;
  const option = OPTIONS.find((candidate) => propertyOf(candidate.name) === name);
  if (option !== undefined) return { kind: 'value', value: { option, raw: inUnit(option, raw), origin } };
  return {
    kind: 'fault',
    fault: unknownName({
      written: name,
      origin,
      sort: 'property',
      spell: propertyOf,
      others: [],
      turnOff: (known) => `${propertyOf(known)}: false`,
      list: 'ProxyOptions lists all options',
    }),
  };
}

/** Programs count times in ms, as Node does; people must name the unit. */
function inUnit(option: AnyOption, raw: unknown): unknown {
  return option.type.unit === 'ms' && typeof raw === 'number' ? `${raw}ms` : raw;
}
