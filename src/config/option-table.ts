/** The one table of options: flags, variables, file keys, help, defaults, schema and documents come from it. */

import type { AnyOption, ConfigValue, OptionName, Rows, SettingName } from './option-type.ts';
import { LIMITS, LISTENING, LOGS, RETRY, STREAMING, TIMEOUTS, UPSTREAM } from './options.ts';
import type { Settings } from './settings.ts';

export interface OptionGroup {
  readonly title: string;
  readonly options: readonly AnyOption[];
}

/** Every setting has its row: a missing one does not compile. */
export const TABLE: Rows<SettingName> = {
  ...LISTENING,
  ...UPSTREAM,
  ...LIMITS,
  ...RETRY,
  ...TIMEOUTS,
  ...STREAMING,
  ...LOGS,
};

export const GROUPS: readonly OptionGroup[] = [
  { title: 'Listening', options: Object.values(LISTENING) },
  { title: 'Upstream', options: Object.values(UPSTREAM) },
  { title: 'Limits', options: Object.values(LIMITS) },
  { title: 'Retry', options: Object.values(RETRY) },
  { title: 'Timeouts', options: Object.values(TIMEOUTS) },
  { title: 'Streaming', options: Object.values(STREAMING) },
  { title: 'Logs', options: Object.values(LOGS) },
];

export const OPTIONS: readonly AnyOption[] = GROUPS.flatMap(({ options }) => options);

/** Names the file that holds the rest; itself in no file. */
export const CONFIG_VARIABLE = 'LASTBYTE_CONFIG';

export function optionNamed(name: string): AnyOption | undefined {
  return OPTIONS.find((option) => option.name === name);
}

/** `body-hold` → `LASTBYTE_BODY_HOLD`. */
export function variableOf(name: OptionName): string {
  return `LASTBYTE_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** `body-hold` → `bodyHold`. */
export function propertyOf(name: OptionName): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** The default as a configuration file would hold it. */
export function defaultOf(setting: SettingName): ConfigValue {
  return written(setting, TABLE[setting].default);
}

/** A setting's value as a configuration file would hold it: a size as `16mb`. */
export function written<S extends SettingName>(setting: S, value: Settings[S]): ConfigValue {
  return TABLE[setting].type.format(value);
}
