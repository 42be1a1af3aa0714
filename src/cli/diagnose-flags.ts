/** The flags of `lastbyte diagnose`: what yargs is told of them, and the diagnosis that a line asks for. */

import { readFileSync } from 'node:fs';
import type { Options } from 'yargs';
import type { Fault } from '../config/fault.ts';
import { SCENARIOS } from '../diagnose/scenarios.ts';
import { DIAGNOSE_OPTION_NAMES, DIAGNOSE_OPTIONS, resolveSettings } from '../diagnose/settings.ts';
import type { DiagnoseOptionName, SettingsResult } from '../diagnose/settings.ts';
import { flagOrigin, lineFault, surplusFaults } from './line.ts';
import type { Line } from './line.ts';

const OF_REQUEST: ReadonlySet<string> = new Set(['method', 'header', 'body-size']);

export const DIAGNOSE_FLAGS: Readonly<Record<string, Options>> = {
  ...Object.fromEntries(DIAGNOSE_OPTION_NAMES.map(flagOf)),
  data: { describe: 'The request body, or @file to read it from a file.', group: 'Request:' },
  json: { describe: 'Print the report as JSON.', boolean: true, group: 'Report:' },
  curl: {
    describe: 'Print a curl command that reproduces the worst case; the report goes to stderr.',
    boolean: true,
    group: 'Report:',
  },
};

export const SCENARIO_CHOICES: Readonly<Record<string, Options>> = {
  scenario: { ...DIAGNOSE_FLAGS['scenario'], choices: SCENARIOS.map(({ name }) => name) },
};

function flagOf(option: DiagnoseOptionName): readonly [string, Options] {
  const { name, purpose, type, default: preset } = DIAGNOSE_OPTIONS[option];
  const words = type.schema['enum'];
  const shown = shownDefault(type, preset);
  return [
    name,
    {
      describe: purpose,
      ...(type.arity === 'switch' ? { boolean: true } : {}),
      ...(Array.isArray(words) ? { choices: words.map(String) } : {}),
      ...(shown === '' ? {} : { defaultDescription: shown }),
      ...(OF_REQUEST.has(name) ? { group: 'Request:' } : {}),
    },
  ];
}

function shownDefault<T>(type: { format(value: T): unknown }, preset: T): string {
  if (preset === null || Array.isArray(preset)) return '';
  return String(type.format(preset));
}

export function diagnosisOf({ words, flags, faults: shape }: Line): SettingsResult {
  const [url, ...surplus] = words;
  const body = bodyOf(flags['data']);
  const result = resolveSettings({
    url: { raw: url, origin: { kind: 'argument', name: 'url' } },
    given: Object.fromEntries(DIAGNOSE_OPTION_NAMES.map((name) => [name, rawOf(name, flags)])),
    body: body.kind === 'body' ? body.body : null,
    originOf: (name) => flagOrigin(DIAGNOSE_OPTIONS[name].name),
  });
  const faults = [
    ...surplusFaults(surplus, 'Give one address'),
    ...shape,
    ...bothOutputs(flags),
    ...(body.kind === 'fault' ? [body.fault] : []),
    ...(result.kind === 'faults' ? result.faults : []),
  ];
  return faults.length > 0 ? { kind: 'faults', faults } : result;
}

/** A flag at the end of the line or before another one is parsed as `true`: its value is missing. */
function rawOf(name: DiagnoseOptionName, flags: Line['flags']): unknown {
  const { name: flag, type } = DIAGNOSE_OPTIONS[name];
  const raw = flags[flag];
  return raw === true && type.arity !== 'switch' ? '' : raw;
}

type BodyResult =
  | { readonly kind: 'body'; readonly body: { readonly bytes: Buffer } | null }
  | { readonly kind: 'fault'; readonly fault: Fault };

function bodyOf(raw: unknown): BodyResult {
  if (raw === undefined) return { kind: 'body', body: null };
  if (typeof raw !== 'string' || raw === '') {
    return bodyFault('has no value, or more than one', 'Give the body once, or @file');
  }
  if (!raw.startsWith('@')) return { kind: 'body', body: { bytes: Buffer.from(raw) } };
  try {
    const bytes = readFileSync(raw.slice(1));
    if (bytes.length > 0) return { kind: 'body', body: { bytes } };
    return bodyFault('names an empty file', 'Give a file with a body in it');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return bodyFault(`names a file that cannot be read (${why})`, 'Write the path behind the @');
  }
}

function bodyFault(problem: string, remedy: string): BodyResult {
  return { kind: 'fault', fault: lineFault(flagOrigin('data'), problem, remedy) };
}

function bothOutputs({ json, curl }: Line['flags']): readonly Fault[] {
  if (json !== true || curl !== true) return [];
  const remedy = 'Keep one of them: the JSON report holds the command';
  return [lineFault(flagOrigin('curl'), 'comes on top of --json', remedy)];
}
