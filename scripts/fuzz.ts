/** Breaks messages at random, and tries them on the parsers and over the wire: `npm run test:fuzz -- --minutes 10`. */

import { parseArgs } from 'node:util';
import { campaign, replay } from '../test/fuzz/campaign.ts';
import type { Find } from '../test/fuzz/campaign.ts';
import type { WireInput } from '../test/fuzz/wire.ts';

const HELP = `Breaks requests and responses at random, keeps what reaches new branches of src/, and checks what must
hold whatever the bytes are. Exit code 1: something was found.

  --minutes N       how long (default 10)
  --seed N          to choose the same inputs again (default: random, and printed)
  --replay BASE64   try one find again
`;

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.replay !== undefined) return await again(values.replay);
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  if (!(minutes > 0 && minutes <= 24 * 60) || !Number.isInteger(seed)) {
    process.stderr.write(`--minutes and --seed are numbers\n\n${HELP}`);
    return 2;
  }
  process.stdout.write(`seed ${seed}, ${minutes} minutes\n`);
  let finds = 0;
  const found = (find: Find): void => {
    finds += 1;
    process.stdout.write(describe(find));
  };
  const result = await campaign({ seed, durationMs: minutes * 60_000, found });
  const { parsed, sent, branches, kept } = result;
  process.stdout.write(
    `${parsed} inputs parsed, ${sent} sent, ${branches} branches reached, ${kept} inputs kept, ${finds} finds\n`,
  );
  return finds === 0 ? 0 : 1;
}

function describe({ input, why }: Find): string {
  const encoded = Buffer.from(JSON.stringify(input)).toString('base64');
  return `\nfound: ${why}\n${JSON.stringify(input)}\nreplay: npm run test:fuzz -- --replay ${encoded}\n`;
}

async function again(encoded: string): Promise<number> {
  const input = decoded(encoded);
  if (input === null) {
    process.stderr.write('--replay wants what a find printed\n');
    return 2;
  }
  const why = await replay(input);
  process.stdout.write(why === null ? 'nothing is wrong\n' : `${why}\n`);
  return why === null ? 0 : 1;
}

function decoded(encoded: string): WireInput | null {
  const parsed: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString());
  return isInput(parsed) ? parsed : null;
}

function isInput(parsed: unknown): parsed is WireInput {
  return (
    typeof parsed === 'object' &&
    parsed !== null &&
    'text' in parsed &&
    typeof parsed.text === 'string' &&
    'cuts' in parsed &&
    Array.isArray(parsed.cuts) &&
    'side' in parsed &&
    'streams' in parsed &&
    'method' in parsed &&
    'ending' in parsed
  );
}

process.exitCode = await main(process.argv.slice(2));
