/** Puts proxies before upstreams with faults and writes what clients got into docs/comparison.md: `npm run compare`. */

import { FAULTS, type Fault } from './compare/faults.ts';
import { askOnce, type Outcome } from './compare/outcome.ts';
import { cellText, say, writeTable } from './compare/table.ts';
import { COMPARED_PROXIES, type ComparedProxy } from './compare/proxies.ts';

async function main(): Promise<void> {
  const rows: string[][] = [];
  for (const proxy of COMPARED_PROXIES) {
    if (proxy.version() === null) say(`${proxy.name} is not installed, and is left out.`);
    else rows.push([titleOf(proxy), ...(await cellsOf(proxy))]);
  }
  writeTable('comparison', [['proxy', ...FAULTS.map(({ name }) => name)], ...rows]);
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

await main();
