/**
 * Loads lastbyte for a while with everything that can happen, and checks every answer and what is left behind:
 * `npm run test:soak`.
 */

import { parseArgs } from 'node:util';
import { soakMixture } from './soak/mixture.ts';

const HELP = `Loads lastbyte with a mixture of everything, checks every answer, and compares what it holds afterwards
with what it held after a warm-up. Ends with 1 when anything is wrong.

  --minutes N   how long (default 10; fractions will do)
  --rate N      exchanges a second (default 300)
  --seed N      chooses the same mixture again
`;

async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) {
    process.stderr.write(HELP);
    return 2;
  }
  return (await soakMixture(options)) === 0 ? 0 : 1;
}

function readOptions(args: string[]): { seconds: number; rate: number; seed: number } | null {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({ args, options: { minutes: text, rate: text, seed: text } });
    const seconds = Number(values.minutes ?? 10) * 60;
    const rate = Number(values.rate ?? 300);
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
    const usable = seconds > 0 && seconds <= 86_400 && rate >= 1 && rate <= 10_000 && Number.isInteger(seed);
    return usable ? { seconds, rate, seed } : null;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n`);
    return null;
  }
}

process.exitCode = await main(process.argv.slice(2));
