/** The command line of `lastbyte diagnose`: what it asks for, or all that is wrong with it. */

import { readFileSync } from 'node:fs';
import yargs, { type Argv } from 'yargs';
import type { Fault } from '../config/fault.ts';
import { DIAGNOSE_OPTION_NAMES, DIAGNOSE_OPTIONS, type DiagnoseOptionName } from '../diagnose/options.ts';
import { resolveSettings, type DiagnoseSettings } from '../diagnose/settings.ts';
import { AS_WRITTEN, MAX_HELP_COLUMNS } from './command-line.ts';
import { flagOrigin, lineFault, surplusFaults, unknownFlag } from './line-faults.ts';
import { explicitSwitches } from './switches.ts';

export type DiagnoseLine =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  | {
      readonly kind: 'diagnosis';
      readonly settings: DiagnoseSettings;
      readonly json: boolean;
      readonly curl: boolean;
    };

const USAGE = `$0 diagnose <url>

Asks the server at <url> in all the ways in which clients ask, on raw sockets of its own, and says
whether it closes connections before its answers are whole, and what helps. Bodies are sent with
GET unless --method names another: an unsafe method is sent in each try, and the server does each
time what it does for it. Give it an address whose answer is large.`;

const EPILOGUE = `The table: how many answers arrived whole, what was lost, and how the connection ended. RST: the
server reset it. FIN: it closed it in order.
Sizes: 512kb, 10mb. Times: 100ms, 30s, 5m.
Exit codes: 0 no fault found, 1 fault found, 2 bad usage, 3 could not be reached.`;

const OWN_FLAGS: ReadonlySet<string> = new Set(['data', 'json', 'curl', 'help', 'h', 'version', '$0', '_']);
const BODY_OPTIONS = ['method', 'header', 'data', 'body-size'];
const REPORT_OPTIONS = ['json', 'curl', 'help', 'version'];

/** @param argv what stands behind the word `diagnose` */
export async function parseDiagnoseLine(
  argv: readonly string[],
  version: string,
  columns: number,
): Promise<DiagnoseLine> {
  let text = '';
  const parser = parserFor(version, columns);
  const given = await parser.parseAsync(explicitSwitches(argv), {}, (_error, _parsed, output) => {
    text = output;
  });
  if (text !== '') return { kind: 'text', text };
  return interpret(given);
}

function parserFor(version: string, columns: number): Argv {
  const parser = yargs()
    .scriptName('lastbyte')
    .locale('en')
    .parserConfiguration(AS_WRITTEN)
    .usage(USAGE)
    .wrap(Math.min(MAX_HELP_COLUMNS, columns));
  for (const name of DIAGNOSE_OPTION_NAMES) {
    const { name: flag, purpose, kind, default: preset } = DIAGNOSE_OPTIONS[name];
    const shown = shownDefault(kind, preset);
    parser.option(flag, { describe: purpose, ...(shown === '' ? {} : { defaultDescription: shown }) });
  }
  return parser
    .option('data', { describe: 'The body; @file: the content of this file.' })
    .option('json', { describe: 'Write the report as JSON.', boolean: true })
    .option('curl', {
      describe: 'Write a curl command that shows the worst of it; the report goes to stderr.',
      boolean: true,
    })
    .help()
    .alias('help', 'h')
    .version(version)
    .group(BODY_OPTIONS, 'Request:')
    .group(REPORT_OPTIONS, 'Report:')
    .example('$0 diagnose 8000/report', 'what a GET of /report shows, with and without a body')
    .example('$0 diagnose 8000/api --method POST --data @body.json', 'as a client posts to it')
    .example('$0 diagnose 8000/report --through 8080', 'the same beside a lastbyte on port 8080')
    .example('$0 diagnose 8000/report --curl | bash', 'show the fault with curl')
    .epilogue(EPILOGUE);
}

function shownDefault<T>(kind: { format(value: T): unknown }, preset: T): string {
  if (preset === null || Array.isArray(preset)) return '';
  return String(kind.format(preset));
}

function interpret(parsed: Readonly<Record<string, unknown>>): DiagnoseLine {
  const words = Array.isArray(parsed['_']) ? parsed['_'].map(String) : [];
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
  const { name: flag, kind } = DIAGNOSE_OPTIONS[name];
  const raw = parsed[flag];
  return raw === true && kind.arity !== 'switch' ? '' : raw;
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
    .filter((name) => !OWN_FLAGS.has(name) && !known.includes(name))
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
