/** Prints the fault table, asking the real servers directly and through lastbyte: `npm run build`, then this script. */

import { parseArgs } from 'node:util';
import { frontWithLastbyte } from './lastbyte-process.ts';
import { markdown, measureAll, type Front } from './fault-table.ts';
import type { Reader } from '../test/real/wire-request.ts';

const HELP = `Measures which real server gives a whole 5 MB answer with "Connection: close" when it leaves the
request body unread, and prints Markdown tables.

  --tries N          tries a cell (default 10)
  --reader fast|slow how the client reads (default slow)
  --only direct|lastbyte   one of the two tables (default both)
`;

const MAX_TRIES = 10_000;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      tries: { type: 'string', default: '10' },
      reader: { type: 'string', default: 'slow' },
      only: { type: 'string', default: 'both' },
      help: { type: 'boolean', default: false },
    },
  });
  const tries = Number(values.tries);
  const reader = parseReader(values.reader);
  const wrong =
    reader === null ||
    !Number.isInteger(tries) ||
    tries < 1 ||
    tries > MAX_TRIES ||
    !['both', 'direct', 'lastbyte'].includes(values.only);
  if (values.help || wrong) {
    process.stdout.write(HELP);
    return wrong ? 2 : 0;
  }
  if (values.only !== 'lastbyte') await print('directly', { tries, reader, front: null });
  if (values.only !== 'direct') await print('through lastbyte', { tries, reader, front: frontWithLastbyte });
  return 0;
}

function parseReader(text: string): Reader | null {
  return text === 'fast' || text === 'slow' ? text : null;
}

async function print(
  way: string,
  options: { readonly tries: number; readonly reader: Reader; readonly front: Front | null },
): Promise<void> {
  const rows = await measureAll(options, (line) => process.stderr.write(`${line}\n`));
  const title = `Asked ${way}, ${options.reader} reader, ${options.tries} tries each`;
  process.stdout.write(`${title}:\n\n${markdown(rows)}\n\n`);
}

process.exitCode = await main();
