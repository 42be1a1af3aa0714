/** `lastbyte print-config [target]`: the settings in effect, as a valid configuration file. */

import { yamlLine } from '../config/config-file.ts';
import { originText } from '../config/fault.ts';
import { GROUPS, OPTIONS, written, type OptionGroup } from '../config/options.ts';
import { loadSettings, type Provenance } from '../config/resolve.ts';
import type { SettingName, Settings } from '../config/settings.ts';
import { BAD_USAGE, SUCCESS, type Command } from './commands.ts';
import { faultReport } from './line.ts';
import { proxyRequest, settingsOptions } from './proxy.ts';

const USAGE = `Usage: $0 print-config [options] [target]

Shows the settings in effect and where each came from. The output is a valid
configuration file for --config. Accepts every flag of lastbyte itself; see
lastbyte --help --all.`;

export const printConfig: Command = {
  options: (all) => ({
    ...settingsOptions(all ? 'all' : 'none'),
    json: { describe: 'Print JSON.', boolean: true },
  }),
  help: (y) =>
    y
      .usage(USAGE)
      .example('$0 print-config --config lastbyte.yaml', 'check what that file sets')
      .epilogue('Exit codes: 0 success, 2 bad usage or configuration.'),
  run: async (line, { env, streams: { stdout, stderr } }) => {
    const { json, ...flags } = line.flags;
    const { sources, faults } = proxyRequest({ ...line, flags }, env);
    const loaded = loadSettings(sources);
    if (loaded.kind === 'faults' || faults.length > 0) {
      stderr.write(faultReport([...faults, ...(loaded.kind === 'faults' ? loaded.faults : [])]));
      return BAD_USAGE;
    }
    const { settings, provenance } = loaded;
    stdout.write((json === true ? settingsAsJson : settingsAsYaml)(settings, provenance));
    return SUCCESS;
  },
};

function settingsAsYaml(settings: Settings, provenance: Provenance): string {
  const section = ({ title, options }: OptionGroup): string => {
    const lines = options.map(
      ({ name, setting }) =>
        `${yamlLine(name, written(setting, settings[setting]))} # ${originOf(setting, provenance)}`,
    );
    return `# ${title}\n${lines.join('\n')}\n`;
  };
  return GROUPS.map(section).join('\n');
}

function settingsAsJson(settings: Settings, provenance: Provenance): string {
  const entries = OPTIONS.map(({ name, setting }) => [
    name,
    { value: written(setting, settings[setting]), from: originOf(setting, provenance) },
  ]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

function originOf(setting: SettingName, provenance: Provenance): string {
  return originText(provenance.get(setting) ?? { kind: 'default' });
}
