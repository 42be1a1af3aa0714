/** `lastbyte print-config`: the settings in force, as a file that could be read again. */

import { yamlLine } from '../config/config-file.ts';
import { originText } from '../config/fault.ts';
import { GROUPS, OPTIONS, written, type OptionGroup } from '../config/option-table.ts';
import type { SettingName } from '../config/option-type.ts';
import type { Provenance } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';

export function settingsAsYaml(settings: Settings, provenance: Provenance): string {
  const section = ({ title, options }: OptionGroup): string => {
    const lines = options.map(
      ({ name, setting }) =>
        `${yamlLine(name, written(setting, settings[setting]))} # ${originOf(setting, provenance)}`,
    );
    return `# ${title}\n${lines.join('\n')}\n`;
  };
  return GROUPS.map(section).join('\n');
}

export function settingsAsJson(settings: Settings, provenance: Provenance): string {
  const entries = OPTIONS.map(({ name, setting }) => [
    name,
    { value: written(setting, settings[setting]), from: originOf(setting, provenance) },
  ]);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

function originOf(setting: SettingName, provenance: Provenance): string {
  return originText(provenance.get(setting) ?? { kind: 'default' });
}
