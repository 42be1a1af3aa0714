/** Writes the table of real servers into docs/diagnose.md: `npm run diagnose:servers`; `--check` compares its verdicts. */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { diagnoseServers, verdictTable, verdictWords, type ServerRuns } from './server-verdicts.ts';

const DOCUMENT = fileURLToPath(new URL('../docs/diagnose.md', import.meta.url));
const TABLE = /(<!-- servers: begin -->\n)[\s\S]*(<!-- servers: end -->)/;
const MAX_RUNS = 100;

const HELP = `Diagnoses each real server of the tests several times, with POST and a 5 MB answer.

  --runs N    runs of each server (default 10)
  --tries N   tries of each scenario in a run (default 10)
  --check     change nothing; exit 1 when a verdict in the table is not what is found now
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '10' },
      tries: { type: 'string', default: '10' },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const runs = Number(values.runs);
  const tries = Number(values.tries);
  const isCount = (count: number): boolean => Number.isInteger(count) && count >= 1 && count <= MAX_RUNS;
  if (values.help || !isCount(runs) || !isCount(tries)) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  if (!TABLE.test(readFileSync(DOCUMENT, 'utf8'))) throw new Error(`${DOCUMENT} has no place for the table`);
  const all = await diagnoseServers({ runs, tries }, (line) => process.stderr.write(`${line}\n`));
  const document = readFileSync(DOCUMENT, 'utf8');
  if (values.check) return check(document, all);
  const how = `${runs} runs of each server, ${tries} tries of each scenario in a run; whole responses of all tries.`;
  writeFileSync(DOCUMENT, document.replace(TABLE, `$1\n${verdictTable(all)}\n\n${how}\n\n$2`));
  return 0;
}

function check(document: string, all: readonly ServerRuns[]): number {
  const wrong = all.flatMap(({ server, reports }) => {
    const row = document.split('\n').find((line) => line.startsWith(`| ${server} `));
    const stands = (words: string): boolean => row?.split('|')[2]?.trim().startsWith(`${words},`) === true;
    const other = reports.find(({ verdict }) => !stands(verdictWords(verdict)));
    return other === undefined
      ? []
      : [`${server}: found ${other.verdict}, and docs/diagnose.md says ${row ?? 'nothing'}\n`];
  });
  for (const line of wrong) process.stderr.write(line);
  return wrong.length === 0 ? 0 : 1;
}

process.exitCode = await main();
