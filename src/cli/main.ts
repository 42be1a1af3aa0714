/** The command `lastbyte`, from its arguments to its exit code. It never ends the process itself. */

import { loadSettings } from '../config/load.ts';
import { parseCommandLine } from './command-line.ts';
import { diagnoseCommand } from './diagnose.ts';
import { settingsAsJson, settingsAsYaml } from './print-config.ts';
import { faultReport } from './report.ts';
import { run } from './run.ts';
import { outliveReaders, type Streams } from './streams.ts';
import { packageVersion } from '../config/version.ts';

const FINE = 0;
const BAD_USAGE = 2;

/** @returns the exit code: 0 fine, 1 failed at run time, 2 bad usage or configuration; `diagnose` has its own */
export async function main(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  streams: Streams,
): Promise<number> {
  outliveReaders(streams);
  const version = packageVersion();
  if (argv[0] === 'diagnose') return await diagnoseCommand(argv.slice(1), { env, streams, version });
  const line = await parseCommandLine(argv, version, streams.stdout.columns ?? Infinity);
  if (line.kind === 'text') {
    streams.stdout.write(`${line.text}\n`);
    return FINE;
  }
  const sources = { ...line.request, env };
  const loaded = loadSettings(sources);
  const faults = [...line.faults, ...(loaded.kind === 'faults' ? loaded.faults : [])];
  if (loaded.kind === 'faults' || faults.length > 0) {
    streams.stderr.write(faultReport(faults));
    return BAD_USAGE;
  }
  const { settings, provenance } = loaded;
  if (line.command === 'run') return run({ sources, settings, streams, version });
  streams.stdout.write((line.json ? settingsAsJson : settingsAsYaml)(settings, provenance));
  return FINE;
}
