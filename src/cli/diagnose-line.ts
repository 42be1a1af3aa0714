/** The command line of `lastbyte diagnose`: what it asks for, or all that is wrong with it. */

import { readFileSync } from 'node:fs';
import type { Fault } from '../config/fault.ts';
import { DIAGNOSE_OPTION_NAMES, DIAGNOSE_OPTIONS, type DiagnoseOptionName } from '../diagnose/options.ts';
import { resolveSettings, type DiagnoseSettings } from '../diagnose/settings.ts';
import { flagOrigin, lineFault, surplusFaults, unknownFlag } from './line-faults.ts';
import { splitLine, type SplitLine } from './split-line.ts';

export type DiagnoseLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  | {
      readonly kind: 'diagnosis';
      readonly settings: DiagnoseSettings;
      readonly json: boolean;
      readonly curl: boolean;
    };

/** @param argv what stands behind the word `diagnose` */
export function parseDiagnoseLine(argv: readonly string[]): DiagnoseLine {
  const { words, help, flags } = splitLine(argv, ['json', 'curl', 'version']);
  const { version, ...rest } = flags;
  if (help) return { kind: 'help' };
  if (version === true) return { kind: 'version' };
  return interpret(words, rest);
}

function interpret(words: readonly string[], parsed: SplitLine['flags']): DiagnoseLine {
  const [url, ...surplus] = words;
  const body = readBody(parsed['data']);
  const result = resolveSettings({
    url: { raw: url, origin: { kind: 'argument', name: 'url' } },
    given: Object.fromEntries(DIAGNOSE_OPTION_NAMES.map((name) => [name, rawOf(name, parsed)])),
    body: body.kind === 'body' ? body.body : null,
    originOf: (name) => flagOrigin(DIAGNOSE_OPTIONS[name].name),
  });
  const faults = [
    ...surplusFaults(surplus, 'Give one address'),
    ...unknownFlags(parsed),
    ...bothOutputs(parsed),
    ...(body.kind === 'fault' ? [body.fault] : []),
    ...(result.kind === 'faults' ? result.faults : []),
  ];
  if (result.kind === 'faults' || faults.length > 0) return { kind: 'faults', faults };
  const { settings } = result;
  return { kind: 'diagnosis', settings, json: parsed['json'] === true, curl: parsed['curl'] === true };
}

/** A flag at the end of the line or before another one is parsed as `true`: its value is missing. */
function rawOf(name: DiagnoseOptionName, parsed: Readonly<Record<string, unknown>>): unknown {
  const { name: flag, type } = DIAGNOSE_OPTIONS[name];
  const raw = parsed[flag];
  return raw === true && type.arity !== 'switch' ? '' : raw;
}

type BodyResult =
  | { readonly kind: 'body'; readonly body: { readonly octets: Buffer } | null }
  | { readonly kind: 'fault'; readonly fault: Fault };

function readBody(raw: unknown): BodyResult {
  const origin = flagOrigin('data');
  if (raw === undefined) return { kind: 'body', body: null };
  if (typeof raw !== 'string' || raw === '') {
    return {
      kind: 'fault',
      fault: lineFault(origin, 'has no value, or more than one', 'Give the body once, or @file'),
    };
  }
  if (!raw.startsWith('@')) return { kind: 'body', body: { octets: Buffer.from(raw) } };
  try {
    const octets = readFileSync(raw.slice(1));
    if (octets.length > 0) return { kind: 'body', body: { octets } };
    return {
      kind: 'fault',
      fault: lineFault(origin, 'names an empty file', 'Give a file with a body in it'),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      kind: 'fault',
      fault: lineFault(origin, `names a file that cannot be read (${why})`, 'Write the path behind the @'),
    };
  }
}

function unknownFlags(parsed: Readonly<Record<string, unknown>>): readonly Fault[] {
  const known = [...DIAGNOSE_OPTION_NAMES.map((name) => DIAGNOSE_OPTIONS[name].name), 'data', 'json', 'curl'];
  return Object.keys(parsed)
    .filter((name) => !known.includes(name))
    .map((name) => unknownFlag(name, known, 'diagnose'));
}

function bothOutputs({ json, curl }: Readonly<Record<string, unknown>>): readonly Fault[] {
  if (json !== true || curl !== true) return [];
  return [
    lineFault(
      flagOrigin('curl'),
      'comes on top of --json',
      'Keep one of them: the JSON report holds the command',
    ),
  ];
}
