/** A reload: reads the settings again, and changes the level and format of the log. */

import { faultText } from '../config/fault.ts';
import { nameOf, OPTIONS, written } from '../config/options.ts';
import { fileOf, loadSettings } from '../config/resolve.ts';
import type { Sources } from '../config/resolve.ts';
import type { SettingName, Settings } from '../config/settings.ts';
import { createLog } from '../observe/log.ts';
import type { Log } from '../observe/log.ts';
import type { Output } from './commands.ts';

interface Reloadable {
  /** Returns the changed settings that take effect only after a restart. */
  reload(settings: Settings): readonly SettingName[];
}

/** Returns the new settings, or `current` if the new ones are faulty. */
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
      `${nameOf(name)} is ${shown(name, settings)} in ${file.path}: it takes a restart to put it in force`,
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

type LogSettings = Pick<Settings, 'logLevel' | 'accessLog' | 'quiet'>;

export class LiveLog {
  readonly #stream: Output;
  readonly #color: boolean;
  readonly #prefix: string;
  readonly #closing: Promise<boolean>[] = [];
  #settings: LogSettings;
  #log: Log;

  /** @param prefix comes before each line that is written for people */
  constructor(settings: LogSettings, stream: Output, color: boolean, prefix: string) {
    this.#settings = settings;
    this.#stream = stream;
    this.#color = color;
    this.#prefix = prefix;
    this.#log = this.#open();
  }

  get log(): Log {
    return this.#log;
  }

  reconfigure(settings: LogSettings): void {
    const { logLevel, accessLog, quiet } = this.#settings;
    const { logLevel: level, accessLog: format } = settings;
    if (logLevel === level && accessLog === format && quiet === settings.quiet) return;
    this.#settings = settings;
    this.#closing.push(this.#log.close());
    this.#log = this.#open();
  }

  /** False: some of the log is left unread, because nobody reads the stream. */
  async close(): Promise<boolean> {
    const closed = await Promise.all([...this.#closing, this.#log.close()]);
    return closed.every((whole) => whole);
  }

  #open(): Log {
    const { logLevel: level, accessLog: format, quiet } = this.#settings;
    return createLog({
      level,
      format,
      quiet,
      stream: this.#stream,
      color: this.#color,
      prefix: this.#prefix,
    });
  }
}
