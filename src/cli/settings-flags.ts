/** The settings as flags: how yargs is told of them, and how they are read from a line. */

import type { Options } from 'yargs';
import type { Fault } from '../config/fault.ts';
import { GROUPS, type AnyOption } from '../config/options.ts';
import type { SettingName } from '../config/settings.ts';
import { flagOrigin, lineFault, yargsOption, type Line } from './line.ts';

/** The short help shows these; --all adds the others. */
const OFTEN_CHANGED: ReadonlySet<SettingName> = new Set([
  'port',
  'host',
  'adminPort',
  'admin',
  'waitForUpstreamMs',
  'stream',
  'changeOrigin',
  'insecure',
  'accessLog',
]);

const SHORT: Readonly<Partial<Record<SettingName, string>>> = { port: 'p' };

export type ShownSettings = 'all' | 'often' | 'none';

export function settingsOptions(shown: ShownSettings): Readonly<Record<string, Options>> {
  const rows = GROUPS.flatMap(({ title, options }) =>
    options.map((option) => [option.name, settingFlag(option, title, shown)] as const),
  );
  return {
    ...Object.fromEntries(rows),
    config: {
      describe: 'Read options from this YAML or JSON file.',
      ...(shown === 'all' ? { group: 'Program:' } : {}),
    },
    all: {
      describe: 'With --help, show every option.',
      boolean: true,
      ...(shown === 'all' ? { group: 'Program:' } : {}),
    },
  };
}

function settingFlag(option: AnyOption, title: string, shown: ShownSettings): Options {
  const { setting, purpose, type, default: preset } = option;
  const short = SHORT[setting];
  return {
    ...yargsOption(purpose, type, preset),
    hidden: shown === 'none' || (shown === 'often' && !OFTEN_CHANGED.has(setting)),
    ...(shown === 'all' ? { group: `${title}:` } : {}),
    ...(short === undefined ? {} : { alias: short }),
  };
}

/** The flags of a line that are settings. */
export interface SettingsRequest {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly file: string | null;
  /** What is wrong with --config and --all, which are not settings. */
  readonly faults: readonly Fault[];
}

export function settingsRequest(flags: Line['flags']): SettingsRequest {
  const { config, all, ...settings } = flags;
  const file = typeof config === 'string' && config !== '' ? config : null;
  return {
    flags: settings,
    file,
    faults: [
      ...(config === undefined || file !== null ? [] : [configFault(config)]),
      ...(all === undefined
        ? []
        : [lineFault(flagOrigin('all'), 'works only with --help', 'Write lastbyte --help --all')]),
    ],
  };
}

function configFault(config: unknown): Fault {
  const problem = Array.isArray(config) ? 'is set more than once' : 'has no value';
  return lineFault(flagOrigin('config'), problem, 'Write the path of one YAML or JSON file');
}
