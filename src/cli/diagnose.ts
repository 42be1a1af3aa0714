/** `lastbyte diagnose <url>`: how a server closes, told at a terminal, as JSON, or as a curl command. */

import { scenariosFor } from '../diagnose/scenarios.ts';
import { reportText } from '../diagnose/report-text.ts';
import type { DiagnosisReport, DiagnosisVerdict } from '../diagnose/report.ts';
import { runDiagnosis, type DiagnosisProgress } from '../diagnose/run.ts';
import type { DiagnoseSettings } from '../diagnose/settings.ts';
import { isSafe } from '../http/idempotency.ts';
import { parseDiagnoseLine } from './diagnose-line.ts';
import { faultReport } from './report.ts';
import type { Output } from './streams.ts';
import type { Surroundings } from './surroundings.ts';

const BAD_USAGE = 2;

const EXIT_CODES: Readonly<Record<DiagnosisVerdict, number>> = {
  'no-fault': 0,
  inconclusive: 0,
  fault: 1,
  unreachable: 3,
};

const DEFAULT_COLUMNS = 100;

/**
 * @param argv what stands behind the word `diagnose`
 * @returns the exit code: 0 no fault found, 1 fault found, 2 bad usage, 3 could not be reached
 */
export async function diagnoseCommand(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { streams, version } = surroundings;
  const { stdout, stderr } = streams;
  const line = parseDiagnoseLine(argv);
  if (line.kind === 'version') {
    stdout.write(`${version}\n`);
    return 0;
  }
  if (line.kind === 'help') {
    const { diagnoseHelpText } = await import('./diagnose-help.ts');
    stdout.write(`${await diagnoseHelpText(stdout.columns ?? Infinity)}\n`);
    return 0;
  }
  if (line.kind === 'faults') {
    stderr.write(faultReport(line.faults, 'on the command line'));
    return BAD_USAGE;
  }
  const { settings, json, curl } = line;
  warnOfUnsafe(settings, stderr);
  const report = await runDiagnosis(settings, progressOn(stderr));
  endProgress(stderr);
  if (json) stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else if (curl) stdout.write(report.curl === null ? '' : `${report.curl}\n`);
  if (!json) tell(report, curl || report.verdict === 'unreachable' ? stderr : stdout, surroundings.env);
  return EXIT_CODES[report.verdict];
}

function tell(report: DiagnosisReport, output: Output, env: NodeJS.ProcessEnv): void {
  const columns = Math.min(output.columns ?? DEFAULT_COLUMNS, DEFAULT_COLUMNS);
  output.write(reportText(report, { columns, color: output.isTTY === true && !env['NO_COLOR'] }));
}

function warnOfUnsafe({ asking, tries, scenarios, through }: DiagnoseSettings, stderr: Output): void {
  if (isSafe(asking.method)) return;
  const given = scenariosFor(asking.method, scenarios).filter(({ plan }) => plan.method === 'given');
  const times = given.length * tries * (through === null ? 1 : 2);
  stderr.write(
    `${asking.method} is not a safe method: up to ${times} of them will be sent, and the server will do each time what it does for it.\n`,
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
