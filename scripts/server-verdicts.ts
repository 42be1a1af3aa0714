/** What `diagnose` finds in each real server, over several runs, as a Markdown table. */

import { diagnose, type DiagnosisReport, type DiagnosisVerdict } from '../src/index.ts';
import { SERVER_NAMES, startServer, whyMissing, type ServerName } from '../test/real/servers.ts';

const ANSWER_BYTES = 5_000_000;

export interface ServerRuns {
  readonly server: ServerName;
  readonly reports: readonly DiagnosisReport[];
}

/** Diagnoses every server that can run here; `say` is told how far it is, and what is missing. */
export async function diagnoseServers(
  options: { readonly runs: number; readonly tries: number },
  say: (line: string) => void,
): Promise<readonly ServerRuns[]> {
  const all: ServerRuns[] = [];
  for (const server of SERVER_NAMES) {
    const missing = whyMissing(server);
    if (missing !== null) say(missing);
    else all.push({ server, reports: await runsOf(server, options, say) });
  }
  return all;
}

async function runsOf(
  name: ServerName,
  { runs, tries }: { readonly runs: number; readonly tries: number },
  say: (line: string) => void,
): Promise<readonly DiagnosisReport[]> {
  await using server = await startServer(name);
  const reports: DiagnosisReport[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const report = await diagnose(`${server.url}/bytes/${ANSWER_BYTES}`, { tries, method: 'POST' });
    reports.push(report);
    say(`${name}, run ${run} of ${runs}, ${(report.elapsedMs / 1000).toFixed(1)} s: ${report.verdict}`);
  }
  return reports;
}

/** The scenarios of each column. */
const COLUMNS: readonly (readonly [title: string, scenarios: readonly string[]])[] = [
  ['no body', ['get-closed', 'get-slow']],
  ['Content-Length', ['length-closed', 'length-slow']],
  ['chunked', ['chunked-closed', 'chunked-slow']],
  ['withheld', ['length-withheld']],
];

export function verdictTable(all: readonly ServerRuns[]): string {
  const head = ['server', 'verdict', ...COLUMNS.map(([title]) => title), 'lost at worst', 'fixed by'];
  const rows = all.map(({ server, reports }) => [
    server,
    verdictText(reports),
    ...COLUMNS.map(([, scenarios]) => wholeText(reports, scenarios)),
    lossText(reports),
    cureText(reports),
  ]);
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function verdictText(reports: readonly DiagnosisReport[]): string {
  return distinct(reports.map(({ verdict }) => verdict))
    .map(
      (verdict) =>
        `${verdictWords(verdict)}, ${reports.filter((one) => one.verdict === verdict).length} of ${reports.length}`,
    )
    .join('; ');
}

/** As it stands in the table, and as a check looks it up. */
export function verdictWords(verdict: DiagnosisVerdict): string {
  return verdict === 'fault' ? '**fault**' : verdict.replace('-', ' ');
}

function wholeText(reports: readonly DiagnosisReport[], names: readonly string[]): string {
  const columns = reports.flatMap(({ scenarios }) =>
    scenarios.filter(({ name }) => names.includes(name)).map(({ direct }) => direct),
  );
  const whole = columns.reduce((total, one) => total + one.whole, 0);
  const tries = columns.reduce((total, one) => total + one.tries, 0);
  return whole === tries ? `${whole} of ${tries}` : `**${whole}** of ${tries}`;
}

function lossText(reports: readonly DiagnosisReport[]): string {
  const worst = Math.max(
    0,
    ...reports.flatMap(({ scenarios }) => scenarios.map(({ direct }) => direct.worstLostBytes ?? 0)),
  );
  return worst === 0 ? '–' : `${worst.toLocaleString('en')} bytes`;
}

function cureText(reports: readonly DiagnosisReport[]): string {
  const cures = reports.flatMap(
    ({ findings }) => findings.find(({ code }) => code === 'unread-body')?.cure ?? [],
  );
  return cures.length === 0 ? '–' : distinct(cures.map(shortCure)).join('; ');
}

function shortCure(cure: string): string {
  return cure.replace(/^lastbyte avoids it by /, '').replace(/\.$/, '');
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}
