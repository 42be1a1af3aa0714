/** `lastbyte diagnose <url>`: how a server closes, told at a terminal, as JSON, or as a curl command. */

import { scenariosFor } from '../diagnose/scenarios.ts';
import { reportText } from '../diagnose/report-text.ts';
import type { DiagnosisReport, DiagnosisVerdict } from '../diagnose/report.ts';
import { runDiagnosis, type DiagnosisProgress } from '../diagnose/run.ts';
import type { DiagnoseSettings } from '../diagnose/settings.ts';
import { isSafe } from '../http/request.ts';
import { BAD_USAGE, type Command } from './command.ts';
import { DIAGNOSE_FLAGS, diagnosisOf, SCENARIO_CHOICES } from './diagnose-flags.ts';
import { faultReport } from './streams.ts';
import type { Output } from './streams.ts';

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
  // To be completed: in the help they would be a page.
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

function warnOfUnsafe({ asking, tries, scenarios, through }: DiagnoseSettings, stderr: Output): void {
  if (isSafe(asking.method)) return;
  const given = scenariosFor(asking.method, scenarios).filter(({ plan }) => plan.method === 'given');
  const times = given.length * tries * (through === null ? 1 : 2);
  stderr.write(
    `${asking.method} is not a safe method: up to ${times} of them will be sent, each with its side effects.\n`,
  );
}

const CLEAR_LINE = '\r\u001b[K';

/** One line that is written over, and only where somebody watches. */
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
