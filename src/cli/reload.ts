/** SIGHUP: the configuration is read again, and put in force only if all of it holds. */

import { faultText } from '../config/fault.ts';
import { fileOf, loadSettings } from '../config/resolve.ts';
import type { Sources } from '../config/resolve.ts';
import { OPTIONS, TABLE, written } from '../config/option-table.ts';
import type { SettingName } from '../config/option-type.ts';
import type { Settings } from '../config/settings.ts';
import type { LiveLog } from './live-log.ts';

interface Reloadable {
  /** Returns the names of changed settings that only a restart puts in force. */
  reload(settings: Settings): readonly SettingName[];
}

/** The settings that are wanted from now on: the new ones, or `current` when the new ones are faulty. */
export function reload(sources: Sources, current: Settings, proxy: Reloadable, live: LiveLog): Settings {
  const file = fileOf(sources);
  if (file === null) {
    live.log.warn('SIGHUP: nothing to read again, because no configuration file is named (--config)');
    return current;
  }
  const loaded = loadSettings(sources);
  if (loaded.kind === 'faults') {
    for (const fault of loaded.faults) live.log.error(`not reloaded: ${faultText(fault)}`);
    live.log.error(`${file.path} is not in force: the settings from before stay`);
    return current;
  }
  const { settings } = loaded;
  const later = proxy.reload(settings);
  live.reconfigure(settings);
  const changes = changesBetween(current, settings);
  live.log.info(`${file.path} reloaded: ${changes.length === 0 ? 'nothing changed' : changes.join(', ')}`);
  for (const name of later) {
    live.log.warn(
      `${TABLE[name].name} is ${shown(name, settings)} in ${file.path}: it takes a restart to put it in force`,
    );
  }
  return settings;
}

function changesBetween(old: Settings, settings: Settings): readonly string[] {
  return OPTIONS.filter(({ setting }) => shown(setting, old) !== shown(setting, settings)).map(
    ({ setting, name }) => `${name} ${shown(setting, old)} -> ${shown(setting, settings)}`,
  );
}

function shown(setting: SettingName, settings: Settings): string {
  const value = written(setting, settings[setting]);
  const text = value === null ? '' : String(value);
  return text === '' ? 'none' : text;
}
