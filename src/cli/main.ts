/** The command `lastbyte`, from its arguments to its exit code. It ends the process itself only where nobody reads its log. */

import { packageVersion } from '../config/version.ts';
import { outliveReaders, type Streams } from './streams.ts';
import type { CommandFunction } from './surroundings.ts';

/** Commands with flags of their own: their word comes first. Each is loaded alone, so that none waits for another. */
const COMMANDS: ReadonlyMap<string, () => Promise<CommandFunction>> = new Map([
  ['diagnose', async () => (await import('./diagnose.ts')).diagnoseCommand],
  ['healthcheck', async () => (await import('./healthcheck.ts')).healthcheckCommand],
  ['init', async () => (await import('./init/init.ts')).initCommand],
  ['completion', async () => (await import('./completion/completion.ts')).completionCommand],
]);

const proxyCommand = async (): Promise<CommandFunction> => (await import('./proxy-command.ts')).proxyCommand;

/** @returns the exit code: 0 fine, 1 failed at run time, 2 bad usage or configuration; `diagnose` has its own */
export async function main(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  streams: Streams,
): Promise<number> {
  outliveReaders(streams);
  const own = COMMANDS.get(argv[0] ?? '');
  const command = await (own ?? proxyCommand)();
  const rest = own === undefined ? argv : argv.slice(1);
  return await command(rest, { env, streams, version: packageVersion() });
}
