/** Prints the fault table, asking the real servers directly and through lastbyte: `npm run faults`. */

import { parseArgs } from 'node:util';
import { frontWithLastbyte } from '../test/harness/lastbyte.ts';
import { markdown, measureAll, type Front } from './fault-table.ts';
import type { Reader } from '../test/real/wire-request.ts';

const HELP = `Measures which real server gives a whole 5 MB answer with "Connection: close" when it leaves the
request body unread, and prints Markdown tables.

  --tries N          tries a cell (default 10)
  --reader fast|slow how the client reads (default slow)
  --only direct|lastbyte   one of the two tables (default both)
`;

const MAX_TRIES = 10_000;

interface Options {
  readonly tries: number;
  readonly reader: Reader;
  readonly only: string;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n\n${HELP}`);
    return 2;
  }
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }
  if (options.only !== 'lastbyte') await print('directly', { ...options, front: null });
  if (options.only !== 'direct') await print('through lastbyte', { ...options, front: frontWithLastbyte });
  return 0;
}

/** null: help is asked for; a string: what is wrong. */
function readOptions(args: string[]): Options | string | null {
  const known = {
    tries: { type: 'string', default: '10' },
    reader: { type: 'string', default: 'slow' },
    only: { type: 'string', default: 'both' },
    help: { type: 'boolean', default: false },
  } as const;
  try {
    const { values } = parseArgs({ args, options: known });
    const { reader, only, help } = values;
    const tries = Number(values.tries);
    if (help) return null;
    if (!Number.isInteger(tries) || tries < 1 || tries > MAX_TRIES) return `--tries is 1 to ${MAX_TRIES}.`;
    if (reader !== 'fast' && reader !== 'slow') return '--reader is fast or slow.';
    if (!['both', 'direct', 'lastbyte'].includes(only)) return '--only is direct, lastbyte or both.';
    return { tries, reader, only };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function print(
  way: string,
  options: { readonly tries: number; readonly reader: Reader; readonly front: Front | null },
): Promise<void> {
  const rows = await measureAll(options, (line) => process.stderr.write(`${line}\n`));
  const tries = options.tries === 1 ? 'one try' : `${options.tries} tries`;
  const title = `Asked ${way}, ${options.reader} reader, ${tries} each`;
  process.stdout.write(`${title}:\n\n${markdown(rows)}\n\n`);
}

process.exitCode = await main();
