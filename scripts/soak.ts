/**
 * Loads lastbyte for a while with everything that can happen, and checks every response and what is left behind:
 * `npm run test:soak`.
 */

import { parseArgs } from 'node:util';
import { KEEP_ALIVE_SECONDS, soakIdle } from './soak/idle.ts';
import { soakMixture, type MixtureOptions } from './soak/mixture.ts';

const HELP = `Loads lastbyte with a mixture of everything, checks every answer, and compares what it holds afterwards
with what it held after a warm-up. Ends with 1 when anything is wrong.

  --minutes N   how long (default 10; fractions will do)
  --rate N      exchanges a second (default 300)
  --seed N      chooses the same mixture again
  --idle N      instead: N idle clients, what each costs, and how they are sent away
  --idle-seconds N   their idle timeout (default ${KEEP_ALIVE_SECONDS})
`;

async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null) {
    process.stderr.write(HELP);
    return 2;
  }
  const wrong =
    options.idle === null ? await soakMixture(options) : await soakIdle(options.idle, options.idleSeconds);
  return wrong === 0 ? 0 : 1;
}

interface Options extends MixtureOptions {
  readonly idle: number | null;
  readonly idleSeconds: number;
}

function readOptions(args: string[]): Options | null {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args,
      options: { minutes: text, rate: text, seed: text, idle: text, 'idle-seconds': text },
    });
    const seconds = Number(values.minutes ?? 10) * 60;
    const rate = Number(values.rate ?? 300);
    const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
    const idle = values.idle === undefined ? null : Number(values.idle);
    const idleSeconds = Number(values['idle-seconds'] ?? KEEP_ALIVE_SECONDS);
    const usable = [
      seconds > 0 && seconds <= 86_400,
      rate >= 1 && rate <= 10_000,
      Number.isInteger(seed),
      idleSeconds >= 1 && idleSeconds <= 3600,
      idle === null || (Number.isInteger(idle) && idle > 0),
    ];
    return usable.every(Boolean) ? { seconds, rate, seed, idle, idleSeconds } : null;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n`);
    return null;
  }
}

process.exitCode = await main(process.argv.slice(2));
