/** Puts proxies before upstreams with faults and writes what clients got into docs/comparison.md: `npm run compare`. */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FAULTS, type Fault } from './compare/faults.ts';
import { askOnce, type Outcome } from './compare/outcome.ts';
import { COMPARED_PROXIES, type ComparedProxy } from './compare/proxies.ts';

const ROOT = path.join(import.meta.dirname, '..');
const DOCUMENT = path.join(ROOT, 'docs', 'comparison.md');
const BEGIN = '<!-- comparison: begin; written by npm run compare -->';
const END = '<!-- comparison: end -->';

async function main(): Promise<void> {
  const rows: string[][] = [];
  for (const proxy of COMPARED_PROXIES) {
    if (proxy.version() === null) say(`${proxy.name} is not installed, and is left out.`);
    else rows.push([titleOf(proxy), ...(await cellsOf(proxy))]);
  }
  const head = ['proxy', ...FAULTS.map(({ name }) => name)];
  const table = [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const [before = '', rest = ''] = readFileSync(DOCUMENT, 'utf8').split(BEGIN);
  const [, after = ''] = rest.split(END);
  writeFileSync(DOCUMENT, `${before}${BEGIN}\n\n${table}\n\n${END}${after}`);
  process.stdout.write(`${table}\n`);
}

function titleOf({ name, version, setting }: ComparedProxy): string {
  return `${name} ${version() ?? ''}${setting === '' ? '' : `, \`${setting}\``}`;
}

async function cellsOf(proxy: ComparedProxy): Promise<string[]> {
  const cells: string[] = [];
  for (const fault of FAULTS) {
    const outcomes = await outcomesOf(proxy, fault);
    say(`${titleOf(proxy)}: ${fault.name}: ${outcomes.join(', ')}`);
    cells.push(cellText(outcomes));
  }
  return cells;
}

async function outcomesOf(proxy: ComparedProxy, { tries, ask, start }: Fault): Promise<Outcome[]> {
  await using upstream = await start();
  await using front = await proxy.start(upstream.port);
  const outcomes: Outcome[] = [];
  for (let tried = 0; tried < tries; tried += 1) outcomes.push(await askOnce(front.port, ask));
  return outcomes;
}

/** Each outcome once, with how often, if there are several. */
function cellText(outcomes: readonly Outcome[]): string {
  const kinds = [...new Set(outcomes)];
  const countOf = (kind: Outcome): number => outcomes.filter((one) => one === kind).length;
  if (kinds.length === 1) return kinds.join('');
  return kinds.map((kind) => `${kind} ${countOf(kind)}×`).join(', ');
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

await main();
