/** `lastbyte [target] [-- command]`: reads the line and the settings, and runs the proxy. */

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Options } from 'yargs';
import { nearestName } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';
import { GROUPS } from '../config/options.ts';
import type { AnyOption } from '../config/options.ts';
import { loadSettings } from '../config/resolve.ts';
import type { Sources } from '../config/resolve.ts';
import type { SettingName } from '../config/settings.ts';
import { portOf } from '../config/target.ts';
import { BAD_USAGE, COMMAND_WORDS } from './commands.ts';
import type { Command } from './commands.ts';
import { faultReport, flagOrigin, lineFault, surplusFaults, yargsOption } from './line.ts';
import type { Line } from './line.ts';
import type { RunOptions } from './run.ts';

const USAGE = `Usage: $0 [options] [target] [-- command]

A reverse proxy for dev servers that cut their responses short. The target is
your server: a port, host:port, a URL, or unix:/path (default: port 8000).
With a command after --, lastbyte starts the server and exits with it. Without
a target, the command gets a free port in the PORT variable.`;

const EPILOGUE = `Every flag is also an environment variable (--body-hold: LASTBYTE_BODY_HOLD)
and a key in the configuration file (body-hold).
Sizes: 512kb, 10mb, 1gb. Times: 100ms, 30s, 5m, 0.
Exit codes: 0 success, 1 failure, 2 bad usage or configuration. With a command
after --: the command's own, 127 if not found, 126 if not executable.`;

export const proxy: Command = {
  options: (all) => ({
    ...settingsOptions(all ? 'all' : 'often'),
    // Declared so that the message can say which commands have it.
    json: { hidden: true, boolean: true },
  }),
  help: (y) =>
    y
      .usage(USAGE)
      .example('$0 8000', 'proxy a dev server on port 8000')
      .example('$0 8000 -- python manage.py runserver', 'start and stop both together')
      .example('$0 -- npm run dev', 'the same, with a free port in PORT')
      .example('$0 django:8000 --host 0.0.0.0', 'in a container, reachable from outside')
      .example('$0 --config lastbyte.yaml -p 9000', 'a file, with one option overridden')
      .epilogue(EPILOGUE),
  run: async (line, { env, streams, version }) => {
    const { json, ...flags } = line.flags;
    const { sources, faults } = proxyRequest({ ...line, flags }, env);
    const loaded = loadSettings(sources);
    const command = line.afterDashes;
    const all = [
      ...faults,
      ...(json === undefined ? [] : [jsonFault()]),
      ...(command?.length === 0 ? [commandMissing()] : []),
      ...(loaded.kind === 'faults' ? loaded.faults : []),
    ];
    if (loaded.kind === 'faults' || all.length > 0) {
      streams.stderr.write(faultReport(all));
      return BAD_USAGE;
    }
    const { run } = await import('./run.ts');
    const options = { sources, settings: loaded.settings, streams, version, command };
    const isTargetGiven = loaded.provenance.get('target')?.kind !== 'default';
    return await run(command === null || isTargetGiven ? options : await onFreePort(options));
  },
};

/** Where the settings come from, and what is wrong with the line itself. */
export function proxyRequest(
  line: Line,
  env: NodeJS.ProcessEnv,
): { readonly sources: Sources; readonly faults: readonly Fault[] } {
  const [word = null, ...surplus] = line.words;
  const misspelt = word === null ? null : commandFault(word);
  const { flags, file, faults } = settingsRequest(line.flags);
  return {
    sources: { flags, target: misspelt === null ? word : null, env, file },
    faults: [
      ...(misspelt === null ? [] : [misspelt]),
      ...surplusFaults(surplus, 'Write only one target'),
      ...line.faults,
      ...faults,
    ],
  };
}

/** A target has a port: a word without one that resembles a command is a misspelt command. */
function commandFault(word: string): Fault | null {
  const origin = { kind: 'argument', name: word } as const;
  if (COMMAND_WORDS.includes(word)) {
    return lineFault(
      origin,
      'is a command, and must come first',
      `Write lastbyte ${word}, with its flags after it`,
    );
  }
  const command = /^[a-z-]+$/.test(word) ? nearestName(word, COMMAND_WORDS) : null;
  return command === null ? null : lineFault(origin, 'is not a command', `Did you mean ${command}?`);
}

/** Tells the command to listen on a free port, and makes that port the target. */
async function onFreePort(options: RunOptions): Promise<RunOptions> {
  const port = String(await freePort());
  const { env } = options.sources;
  const sources = { ...options.sources, target: port, env: { ...env, PORT: port, HOST: '127.0.0.1' } };
  const loaded = loadSettings(sources);
  return loaded.kind === 'faults' ? options : { ...options, sources, settings: loaded.settings };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server.address()) ?? 0;
  server.close();
  await once(server, 'close');
  return port;
}

function commandMissing(): Fault {
  const remedy = 'Add the command that starts your server, or leave out --';
  return lineFault({ kind: 'flag', name: '--' }, 'has no command after it', remedy);
}

function jsonFault(): Fault {
  const remedy = 'For a JSON log, write --access-log json';
  return lineFault(flagOrigin('json'), 'works only with print-config and diagnose', remedy);
}

/** The short help shows these; --all adds the others. */
const OFTEN_CHANGED: ReadonlySet<SettingName> = new Set([
  'port',
  'host',
  'adminPort',
  'admin',
  'waitForUpstreamMs',
  'stream',
  'changeOrigin',
  'insecure',
  'accessLog',
]);

const SHORT: Readonly<Partial<Record<SettingName, string>>> = { port: 'p' };

export type ShownSettings = 'all' | 'often' | 'none';

export function settingsOptions(shown: ShownSettings): Readonly<Record<string, Options>> {
  const rows = GROUPS.flatMap(({ title, options }) =>
    options.map((option) => [option.name, settingFlag(option, title, shown)] as const),
  );
  return {
    ...Object.fromEntries(rows),
    config: {
      describe: 'Read options from this YAML or JSON file.',
      ...(shown === 'all' ? { group: 'Program:' } : {}),
    },
    all: {
      describe: 'With --help, show every option.',
      boolean: true,
      ...(shown === 'all' ? { group: 'Program:' } : {}),
    },
  };
}

function settingFlag(option: AnyOption, title: string, shown: ShownSettings): Options {
  const { setting, purpose, type, default: preset } = option;
  const short = SHORT[setting];
  return {
    ...yargsOption(purpose, type, preset),
    hidden: shown === 'none' || (shown === 'often' && !OFTEN_CHANGED.has(setting)),
    ...(shown === 'all' ? { group: `${title}:` } : {}),
    ...(short === undefined ? {} : { alias: short }),
  };
}

/** The flags of a line that are settings. */
export interface SettingsRequest {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly file: string | null;
  /** What is wrong with --config and --all, which are not settings. */
  readonly faults: readonly Fault[];
}

export function settingsRequest(flags: Line['flags']): SettingsRequest {
  const { config, all, ...settings } = flags;
  const file = typeof config === 'string' && config !== '' ? config : null;
  return {
    flags: settings,
    file,
    faults: [
      ...(config === undefined || file !== null ? [] : [configFault(config)]),
      ...(all === undefined
        ? []
        : [lineFault(flagOrigin('all'), 'works only with --help', 'Write lastbyte --help --all')]),
    ],
  };
}

function configFault(config: unknown): Fault {
  const problem = Array.isArray(config) ? 'is set more than once' : 'has no value';
  return lineFault(flagOrigin('config'), problem, 'Write the path of one YAML or JSON file');
}
