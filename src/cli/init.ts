/** `lastbyte init [target]`: writes a starter configuration, and lastbyte as a service of docker compose. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commentedFile, yamlLine } from '../config/config-file.ts';
import { TABLE, written } from '../config/options.ts';
import type { SettingName, Settings, Target } from '../config/settings.ts';
import { parseTarget, targetUrl } from '../config/target.ts';
import type { ConfigValue } from '../config/types.ts';
import { BAD_USAGE, FAILURE, SUCCESS } from './commands.ts';
import type { Command } from './commands.ts';
import { faultReport, lineFault, surplusFaults } from './line.ts';

const CONFIG_FILE = 'lastbyte.yaml';
const COMPOSE_FILE = 'compose.lastbyte.yaml';

const USAGE = `Usage: $0 init [options] [target]

Writes ${CONFIG_FILE} to the current folder. It lists every option: the target
and the ports are set, the others are comments. Without a target, init looks for
Django (manage.py, port 8000) or Flask (app.py or wsgi.py, port 5000). It then
prints how to run lastbyte, and a service for Docker Compose.`;

/** The files that docker compose looks for, in its order. */
const OWN_COMPOSE_FILES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

const SCHEMA = 'node_modules/lastbyte/config/schema.json';

interface NewFile {
  readonly name: string;
  readonly text: string;
}

export const init: Command = {
  options: () => ({
    compose: { describe: `Write the service to ${COMPOSE_FILE} instead of printing it.`, boolean: true },
    force: { describe: 'Overwrite existing files.', boolean: true },
  }),
  help: (y) =>
    y.usage(USAGE).epilogue('Exit codes: 0 success, 1 a file exists or cannot be written, 2 bad usage.'),
  run: async ({ words, flags, faults: ofLine }, { streams: { stdout, stderr } }) => {
    const [word, ...surplus] = words;
    const read = word === undefined ? null : parseTarget(word.trim());
    const faults = [...surplusFaults(surplus, 'Write only one target'), ...ofLine];
    if (read?.kind === 'wrong') {
      faults.push(lineFault({ kind: 'argument', name: 'target' }, read.problem, read.remedy, word));
    }
    if (read?.kind === 'wrong' || faults.length > 0) {
      stderr.write(faultReport(faults, 'on the command line'));
      return BAD_USAGE;
    }
    const folder = process.cwd();
    const detected = read === null ? detectServer(folder) : null;
    const target = read?.value ?? targetOf(detected);
    const schema = existsSync(join(folder, SCHEMA)) ? `./${SCHEMA}` : null;
    const config = { name: CONFIG_FILE, text: configFileText(target, schema) };
    const compose = { name: COMPOSE_FILE, text: composeFileText(target, folder) };
    const isComposeWritten = flags['compose'] === true;
    const files = isComposeWritten ? [config, compose] : [config];
    const problem = write(files, folder, flags['force'] === true);
    if (problem !== null) {
      stderr.write(`${problem}\n`);
      return FAILURE;
    }
    const beside = isComposeWritten ? composeCommand(folder) : composeService(compose.text);
    stdout.write(nextSteps(target, detected, beside));
    return SUCCESS;
  },
};

const DEFAULT_PORT = 8000;

function targetOf(detected: DetectedServer | null): Target {
  return { kind: 'tcp', tls: false, host: '127.0.0.1', port: detected?.port ?? DEFAULT_PORT };
}

/** Null: all are written. Otherwise one sentence; files that exist are found before anything is written. */
function write(files: readonly NewFile[], folder: string, force: boolean): string | null {
  const taken = force ? undefined : files.find(({ name }) => existsSync(join(folder, name)));
  if (taken !== undefined) return alreadyExists(taken);
  for (const file of files) {
    try {
      // Without --force it also fails on a file that was created just now.
      writeFileSync(join(folder, file.name), file.text, { flag: force ? 'w' : 'wx' });
    } catch (error) {
      return writeFailure(file, folder, error);
    }
  }
  return null;
}

function alreadyExists({ name }: NewFile): string {
  return `${name} exists, and is left as it is: --force replaces it.`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'its file system is read-only'],
  ['ENOSPC', 'its disk is full'],
  ['EISDIR', 'there is a folder of that name'],
]);

function writeFailure(file: NewFile, folder: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EEXIST') return alreadyExists(file);
  return `${file.name} cannot be written in ${folder}: ${REASONS.get(code) ?? (code || String(error))}.`;
}

function nextSteps(target: Target, detected: DetectedServer | null, beside: string): string {
  const why = detected === null ? '' : ` (${detected.file}: ${detected.server})`;
  const { port, adminPort } = portsBeside(target);
  return `Wrote ${CONFIG_FILE}, in front of ${targetUrl(target)}${why}.

  npx lastbyte --config ${CONFIG_FILE}

Then clients use http://127.0.0.1:${port}/, and http://127.0.0.1:${adminPort}/ shows what went through.
${beside}`;
}

function composeCommand(folder: string): string {
  const own = OWN_COMPOSE_FILES.find((name) => existsSync(join(folder, name))) ?? 'compose.yaml';
  return `Wrote ${COMPOSE_FILE}: docker compose -f ${own} -f ${COMPOSE_FILE} up\n`;
}

function composeService(compose: string): string {
  return `\nAs a service of docker compose (lastbyte init --compose writes it to ${COMPOSE_FILE}):\n\n${compose}`;
}

const HEADER = `# lastbyte's configuration: lastbyte --config ${CONFIG_FILE}
#
# A line that starts with #name: shows an option's default. Remove the # to change it.
# LASTBYTE_* variables and flags override this file. lastbyte print-config shows the settings in effect.
`;

/** The defaults, unless the server has one of them: lastbyte would be its own target. */
function portsBeside(target: Target): Pick<Settings, 'port' | 'adminPort'> {
  const [port, adminPort] = [TABLE.port.default, TABLE.adminPort.default];
  const isTaken = target.kind === 'tcp' && (target.port === port || target.port === adminPort);
  return isTaken ? { port: port + 10, adminPort: adminPort + 10 } : { port, adminPort };
}

/** @param schema where an editor finds the schema, from the file's folder; null: nowhere */
function configFileText(target: Target, schema: string | null): string {
  const { port, adminPort } = portsBeside(target);
  // What nearly everybody sets first is set; all others are comments that show the default.
  const live = new Map<SettingName, ConfigValue>([
    ['target', written('target', target)],
    ['port', port],
    ['adminPort', adminPort],
  ]);
  const modeline = schema === null ? '' : `# yaml-language-server: $schema=${schema}\n`;
  return commentedFile(`${modeline}${HEADER}`, ({ name, setting, default: preset }) => {
    return live.has(setting) ? yamlLine(name, live.get(setting) ?? null) : `#${yamlLine(name, preset)}`;
  });
}

/** `src/cli` and `dist/chunks` are both two levels below it. */
const PACKAGE_FOLDER = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Used with the project's own compose file: `docker compose -f compose.yaml -f compose.lastbyte.yaml up`. The image is built
 * from the lastbyte that wrote the file, because no image is published.
 *
 * @param folder where the file will be
 */
function composeFileText(target: Target, folder: string): string {
  const behind = target.kind === 'tcp' ? target.port : DEFAULT_PORT;
  const { port, adminPort } = portsBeside(target);
  return `services:
  lastbyte:
${imageFrom(PACKAGE_FOLDER, folder)}
    environment:
      # Replace "web" with the name of your server's service. It must listen on 0.0.0.0 in its container.
      LASTBYTE_TARGET: http://web:${behind}
      LASTBYTE_CONFIG: /etc/${CONFIG_FILE}
      LASTBYTE_HOST: 0.0.0.0
      LASTBYTE_ADMIN_HOST: 0.0.0.0
    volumes: ['./${CONFIG_FILE}:/etc/${CONFIG_FILE}:ro']
    # On loopback only: the admin page has no password.
    ports: ['127.0.0.1:${port}:${port}', '127.0.0.1:${adminPort}:${adminPort}']
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    healthcheck:
      test: [CMD, node, /app/dist/bin.js, healthcheck]
      interval: 10s
      timeout: 3s
      start_period: 20s
`;
}

/** A clone is built with its own Dockerfile; an installed package from its files and its dependencies. */
function imageFrom(source: string, folder: string): string {
  const path = relative(folder, source).split(sep).join('/');
  const context = JSON.stringify(path === '' || path.startsWith('..') ? path || '.' : `./${path}`);
  if (existsSync(join(source, 'Dockerfile'))) {
    return `    # A clone of the lastbyte repository, relative to this file.
    build: ${context}`;
  }
  return `    # The installed lastbyte package, relative to this file.
    build:
      context: ${context}
      dockerfile_inline: |
        FROM node:24-slim
        WORKDIR /app
        COPY package.json ./
        RUN npm install --omit=dev --ignore-scripts --no-audit --no-fund
        COPY dist ./dist
        COPY config ./config
        USER node
        ENTRYPOINT ["node", "/app/dist/bin.js"]`;
}

interface DetectedServer {
  /** The server's name, as its users say it. */
  readonly server: string;
  /** The file that gave it away. */
  readonly file: string;
  /** Where it listens unless told otherwise. */
  readonly port: number;
}

const FLASK = /^\s*(from|import) flask\b/m;

/** `flask run` looks for these two files on its own (Flask's documentation, "Application Discovery"). */
const SIGNS: readonly (DetectedServer & { readonly mark: RegExp })[] = [
  { server: 'Django', file: 'manage.py', mark: /DJANGO_SETTINGS_MODULE/, port: 8000 },
  { server: 'Flask', file: 'app.py', mark: FLASK, port: 5000 },
  { server: 'Flask', file: 'wsgi.py', mark: FLASK, port: 5000 },
];

function detectServer(folder: string): DetectedServer | null {
  return SIGNS.find(({ file, mark }) => mark.test(textOf(join(folder, file)))) ?? null;
}

/** Empty when there is no such file, or it may not be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
