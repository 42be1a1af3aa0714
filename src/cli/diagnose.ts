/** `lastbyte diagnose <url>`: reports how a server closes, at a terminal, as JSON, or as a curl command. */

import { readFileSync } from 'node:fs';
import type { Options } from 'yargs';
import { pathProblem } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';
import { reportText } from '../diagnose/report-text.ts';
import type { DiagnosisReport, DiagnosisVerdict } from '../diagnose/report.ts';
import { runDiagnosis } from '../diagnose/diagnose.ts';
import type { DiagnosisProgress } from '../diagnose/diagnose.ts';
import { SCENARIOS, scenariosFor } from '../diagnose/scenarios.ts';
import { DIAGNOSE_OPTION_NAMES, DIAGNOSE_OPTIONS, resolveSettings } from '../diagnose/settings.ts';
import type { DiagnoseOptionName, DiagnoseSettings, SettingsResult } from '../diagnose/settings.ts';
import { isSafe } from '../http/request.ts';
import { BAD_USAGE } from './commands.ts';
import type { Command, Output } from './commands.ts';
import { faultReport, flagOrigin, lineFault, surplusFaults, yargsOption } from './line.ts';
import type { Line } from './line.ts';

const EXIT_CODES: Readonly<Record<DiagnosisVerdict, number>> = {
  'no-fault': 0,
  inconclusive: 0,
  fault: 1,
  unreachable: 3,
};

const DEFAULT_COLUMNS = 100;

const USAGE = `Usage: $0 diagnose [options] <url>

Sends requests to the server at <url> in all the ways that clients do, and
reports whether it closes connections before its responses are complete, why,
and what to do about it. Use a URL with a large response. Bodies are sent with
GET unless --method names another method. An unsafe method (POST, PUT, PATCH,
DELETE) is sent for real in every try, with its side effects.`;

const EPILOGUE = `The report shows how many responses arrived complete, what was lost, and how
each connection ended: FIN (closed cleanly) or RST (reset by the server).
Sizes: 512kb, 10mb. Times: 100ms, 30s, 5m.
Exit codes: 0 no fault found, 1 fault found, 2 bad usage, 3 server unreachable.`;

export const diagnose: Command = {
  // The names of the scenarios are for completion; in the help they would fill a page.
  options: (all) => (all ? { ...DIAGNOSE_FLAGS, ...SCENARIO_CHOICES } : DIAGNOSE_FLAGS),
  help: (y) =>
    y
      .usage(USAGE)
      .example('$0 diagnose 8000/report', 'GET /report, with and without a body')
      .example('$0 diagnose 8000/api --method POST --data @body.json', 'POST a JSON body')
      .example('$0 diagnose 8000/report --through 8080', 'compare with a lastbyte on port 8080')
      .example('$0 diagnose 8000/report --curl | bash', 'reproduce the fault with curl')
      .epilogue(EPILOGUE),
  run: async (line, { streams: { stdout, stderr }, env }) => {
    const diagnosis = diagnosisOf(line);
    if (diagnosis.kind === 'faults') {
      stderr.write(faultReport(diagnosis.faults, 'on the command line'));
      return BAD_USAGE;
    }
    const { settings } = diagnosis;
    const { json, curl } = line.flags;
    warnOfUnsafe(settings, stderr);
    const report = await runDiagnosis(settings, progressOn(stderr));
    endProgress(stderr);
    if (json === true) stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    else if (curl === true) stdout.write(report.curl === null ? '' : `${report.curl}\n`);
    if (json !== true) {
      tell(report, curl === true || report.verdict === 'unreachable' ? stderr : stdout, env);
    }
    return EXIT_CODES[report.verdict];
  },
};

function tell(report: DiagnosisReport, output: Output, env: NodeJS.ProcessEnv): void {
  const columns = Math.min(output.columns ?? DEFAULT_COLUMNS, DEFAULT_COLUMNS);
  output.write(reportText(report, { columns, color: output.isTTY === true && !env['NO_COLOR'] }));
}

function warnOfUnsafe({ template, tries, scenarios, through }: DiagnoseSettings, stderr: Output): void {
  if (isSafe(template.method)) return;
  const given = scenariosFor(template.method, scenarios).filter(({ plan }) => plan.method === 'given');
  const times = given.length * tries * (through === null ? 1 : 2);
  stderr.write(
    `${template.method} is not a safe method: up to ${times} of them will be sent, each with its side effects.\n`,
  );
}

const CLEAR_LINE = '\r\u001b[K';

/** One line that is overwritten, and only on a terminal. */
function progressOn(stderr: Output): (progress: DiagnosisProgress) => void {
  if (stderr.isTTY !== true) return () => undefined;
  const columns = stderr.columns ?? DEFAULT_COLUMNS;
  return ({ number, of, title, way, tried, tries }) => {
    const through = way === 'through' ? ', through lastbyte' : '';
    const text = `[${number}/${of}] ${title}${through}: try ${tried + 1} of ${tries}`;
    stderr.write(`${CLEAR_LINE}${text.slice(0, columns - 1)}`);
  };
}

function endProgress(stderr: Output): void {
  if (stderr.isTTY === true) stderr.write(CLEAR_LINE);
}

const OF_REQUEST: ReadonlySet<string> = new Set(['method', 'header', 'body-size']);

const DIAGNOSE_FLAGS: Readonly<Record<string, Options>> = {
  ...Object.fromEntries(DIAGNOSE_OPTION_NAMES.map(flagOf)),
  data: { describe: 'The request body, or @file to read it from a file.', group: 'Request:' },
  json: { describe: 'Print the report as JSON.', boolean: true, group: 'Report:' },
  curl: {
    describe: 'Print a curl command that reproduces the worst case; the report goes to stderr.',
    boolean: true,
    group: 'Report:',
  },
};

const SCENARIO_CHOICES: Readonly<Record<string, Options>> = {
  scenario: { ...DIAGNOSE_FLAGS['scenario'], choices: SCENARIOS.map(({ name }) => name) },
};

function flagOf(option: DiagnoseOptionName): readonly [string, Options] {
  const { name, purpose, type, written } = DIAGNOSE_OPTIONS[option];
  const group = OF_REQUEST.has(name) ? { group: 'Request:' } : {};
  return [name, { ...yargsOption(purpose, type, written), ...group }];
}

function diagnosisOf({ words, flags, faults: ofLine }: Line): SettingsResult {
  const [url, ...surplus] = words;
  const body = bodyOf(flags['data']);
  const result = resolveSettings({
    url: { raw: url, origin: { kind: 'argument', name: 'url' } },
    values: Object.fromEntries(DIAGNOSE_OPTION_NAMES.map((name) => [name, rawOf(name, flags)])),
    body: body.kind === 'body' ? body.body : null,
    originOf: (name) => flagOrigin(DIAGNOSE_OPTIONS[name].name),
  });
  const faults = [
    ...surplusFaults(surplus, 'Write only one address'),
    ...ofLine,
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
    return bodyFault('has no value, or more than one', 'Write the body once, or @file');
  }
  if (!raw.startsWith('@')) return { kind: 'body', body: { bytes: Buffer.from(raw) } };
  try {
    const bytes = readFileSync(raw.slice(1));
    if (bytes.length > 0) return { kind: 'body', body: { bytes } };
    return bodyFault('names an empty file', 'Use a file that holds a body');
  } catch (error) {
    return bodyFault(`names a file that ${pathProblem(error)}`, 'Write the path after the @');
  }
}

function bodyFault(problem: string, remedy: string): BodyResult {
  return { kind: 'fault', fault: lineFault(flagOrigin('data'), problem, remedy) };
}

function bothOutputs({ json, curl }: Line['flags']): readonly Fault[] {
  if (json !== true || curl !== true) return [];
  const remedy = 'Keep one of them: the JSON report includes the command';
  return [lineFault(flagOrigin('curl'), 'cannot be combined with --json', remedy)];
}
