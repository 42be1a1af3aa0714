/** `npm run bench`: measures lastbyte beside its peers, in one run. */

import { HELP, readArguments } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import { cold } from './cases/cold.ts';
import { django } from './cases/django.ts';
import { growth } from './cases/growth.ts';
import { idle } from './cases/idle.ts';
import { memory } from './cases/memory.ts';
import { page } from './cases/page.ts';
import { slowClient } from './cases/slow-client.ts';
import { startUp } from './cases/start-up.ts';
import { throughput, throughputTables } from './cases/throughput.ts';
import type { Holds } from './peers.ts';
import { machine, writeToDocument } from './tables.ts';

const CONNECTIONS = 32;

const HOLDS: Readonly<Record<Holds, string>> = {
  'what-came': '',
  'unproven-buffer': '; buffers the response first, and sends a cut one all the same',
  'proven-whole': '; has the whole response, proven, before it sends any of it',
};

type Case = (given: Arguments) => Promise<string>;

const CASES: Readonly<Record<string, Case>> = {
  throughput: async (given) => {
    const plan = { ...given, connections: CONNECTIONS };
    const tables = throughputTables(await throughput(plan, progress), plan);
    const legend = given.peers.map(
      (peer) => `- ${peer.name} ${peer.version() ?? ''}: ${peer.setUp}${HOLDS[peer.holds]}`,
    );
    const how = `Medians of ${given.rounds} interleaved rounds of ${given.seconds} s, \`wrk -t1 -c${CONNECTIONS}\`, ${machine()}.`;
    return [how, tables, legend.join('\n')].join('\n\n');
  },
  cold,
  page,
  memory,
  'slow-client': slowClient,
  django,
  idle,
  start: startUp,
  growth,
};

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<number> {
  const given = readArguments();
  if (given === null) {
    process.stdout.write(HELP);
    return 0;
  }
  for (const name of given.missing) progress(`${name} is not installed, and left out: bench/install.sh`);
  const names = given.cases.includes('all') ? Object.keys(CASES) : given.cases;
  for (const name of names) {
    const run = CASES[name];
    if (run === undefined)
      throw new Error(`There is no case ${name}: ${Object.keys(CASES).join(', ')}, all.`);
    const text = await run(given);
    process.stdout.write(`\n## ${name}\n\n${text}\n`);
    if (given.write) writeToDocument(name, text);
  }
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
