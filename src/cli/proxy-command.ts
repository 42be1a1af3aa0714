/** `lastbyte [target]` and `lastbyte print-config`: the commands that have the settings for their flags. */

import { loadSettings } from '../config/resolve.ts';
import { parseCommandLine } from './command-line.ts';
import { faultReport } from './report.ts';
import type { Surroundings } from './surroundings.ts';

const FINE = 0;
const BAD_USAGE = 2;

export async function proxyCommand(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { env, streams, version } = surroundings;
  const line = parseCommandLine(argv);
  if (line.kind === 'version') {
    streams.stdout.write(`${version}\n`);
    return FINE;
  }
  if (line.kind === 'help') {
    const { helpText } = await import('./help-text.ts');
    streams.stdout.write(`${await helpText(streams.stdout.columns ?? Infinity)}\n`);
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
  if (line.command === 'run') {
    const { run } = await import('./run.ts');
    return await run({ sources, settings, streams, version });
  }
  const { settingsAsJson, settingsAsYaml } = await import('./print-config.ts');
  streams.stdout.write((line.json ? settingsAsJson : settingsAsYaml)(settings, provenance));
  return FINE;
}
