/** What `lastbyte init` writes: a configuration to change, and lastbyte as a service of docker compose. */

import { existsSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commentedFile, yamlLine } from '../config/config-file.ts';
import { TABLE, written } from '../config/options.ts';
import type { SettingName, Target } from '../config/settings.ts';
import type { ConfigValue } from '../config/types.ts';

export const CONFIG_FILE = 'lastbyte.yaml';
export const COMPOSE_FILE = 'compose.lastbyte.yaml';

const HEADER = `# lastbyte's configuration: lastbyte --config ${CONFIG_FILE}
#
# A line that starts with #name: shows an option's default. Remove the # to change it.
# LASTBYTE_* variables and flags override this file. lastbyte print-config shows the settings in effect.
`;

interface Ports {
  readonly port: number;
  readonly adminPort: number;
}

/** The defaults, unless the server behind has one of them: lastbyte would be its own target. */
export function portsBeside(target: Target): Ports {
  const { port, adminPort } = { port: TABLE.port.default, adminPort: TABLE.adminPort.default };
  const taken = target.kind === 'tcp' && [port, adminPort].includes(target.port);
  return taken ? { port: port + 10, adminPort: adminPort + 10 } : { port, adminPort };
}

/** @param schema where an editor finds the schema, from the file's folder; null: nowhere */
export function configFileText(target: Target, schema: string | null): string {
  const { port, adminPort } = portsBeside(target);
  // What nearly everybody looks at first is in force; all others show a default.
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

const DEFAULT_SERVER_PORT = 8000;

/** `src/cli` and `dist/chunks` lie equally deep under it. */
const PACKAGE_FOLDER = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Beside the services of a compose file: `docker compose -f compose.yaml -f compose.lastbyte.yaml up`. The image is built from
 * the lastbyte that wrote the file: nothing of it is published.
 *
 * @param folder where the file will be
 */
export function composeFileText(target: Target, folder: string): string {
  const behind = target.kind === 'tcp' ? target.port : DEFAULT_SERVER_PORT;
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

/** From a clone by its own Dockerfile; from an installed package by its files, with the libraries that it names. */
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

export interface Served {
  /** The server's name, as its users say it. */
  readonly server: string;
  /** The file that told. */
  readonly file: string;
  /** Where it listens unless told otherwise. */
  readonly port: number;
}

const FLASK = /^\s*(from|import) flask\b/m;

/** `flask run` looks for these two files on its own (Flask's documentation, "Application Discovery"). */
const CLUES: readonly (Served & { readonly mark: RegExp })[] = [
  { server: 'Django', file: 'manage.py', mark: /DJANGO_SETTINGS_MODULE/, port: 8000 },
  { server: 'Flask', file: 'app.py', mark: FLASK, port: 5000 },
  { server: 'Flask', file: 'wsgi.py', mark: FLASK, port: 5000 },
];

export function servedIn(folder: string): Served | null {
  return CLUES.find(({ file, mark }) => mark.test(textOf(join(folder, file)))) ?? null;
}

/** Empty when there is none, or none that may be read: then it tells nothing. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
