/** `lastbyte init [target]`: writes a configuration to begin with, and shows lastbyte as a service of docker compose. */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from '../config/settings.ts';
import { parseTarget, targetUrl } from '../config/target.ts';
import { BAD_USAGE, FAILED, FINE } from './command.ts';
import type { Command } from './command.ts';
import {
  COMPOSE_FILE,
  composeFileText,
  CONFIG_FILE,
  configFileText,
  portsBeside,
  servedIn,
} from './init-files.ts';
import type { Served } from './init-files.ts';
import { lineFault, surplusFaults } from './line.ts';
import { faultReport } from './streams.ts';

const USAGE = `Usage: $0 init [options] [target]

Writes ${CONFIG_FILE} to the current folder. It lists every option: the target
and the ports are set, the others are comments. Without a target, init looks for
Django (manage.py, port 8000) or Flask (app.py or wsgi.py, port 5000). It then
prints how to run lastbyte, and a service for Docker Compose.`;

/** Where docker compose looks on its own, in its order. */
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
  run: async ({ words, flags, faults: shape }, { streams: { stdout, stderr } }) => {
    const [word, ...surplus] = words;
    const read = word === undefined ? null : parseTarget(word.trim());
    const faults = [...surplusFaults(surplus, 'Give at most one target'), ...shape];
    if (read?.kind === 'wrong') {
      const fault = lineFault({ kind: 'argument', name: 'target' }, read.problem, read.remedy);
      faults.push({ ...fault, value: word ?? null });
    }
    if (read?.kind === 'wrong' || faults.length > 0) {
      stderr.write(faultReport(faults, 'on the command line'));
      return BAD_USAGE;
    }
    const folder = process.cwd();
    const served = read === null ? servedIn(folder) : null;
    const target = read?.value ?? ownTarget(served);
    const schema = existsSync(join(folder, SCHEMA)) ? `./${SCHEMA}` : null;
    const config = { name: CONFIG_FILE, text: configFileText(target, schema) };
    const compose = { name: COMPOSE_FILE, text: composeFileText(target, folder) };
    const isComposeWritten = flags['compose'] === true;
    const files = isComposeWritten ? [config, compose] : [config];
    const complaint = write(files, folder, flags['force'] === true);
    if (complaint !== null) {
      stderr.write(`${complaint}\n`);
      return FAILED;
    }
    const beside = isComposeWritten ? composeCommand(folder) : asService(compose.text);
    stdout.write(whatNow(target, served, beside));
    return FINE;
  },
};

const DEFAULT_PORT = 8000;

function ownTarget(served: Served | null): Target {
  return { kind: 'tcp', tls: false, host: '127.0.0.1', port: served?.port ?? DEFAULT_PORT };
}

/** Null when all are written; else one sentence, and none is half replaced: what exists is found before. */
function write(files: readonly NewFile[], folder: string, force: boolean): string | null {
  const taken = force ? undefined : files.find(({ name }) => existsSync(join(folder, name)));
  if (taken !== undefined) return existing(taken);
  for (const file of files) {
    try {
      // Without --force it fails on a file that has come just now, too.
      writeFileSync(join(folder, file.name), file.text, { flag: force ? 'w' : 'wx' });
    } catch (error) {
      return failure(file, folder, error);
    }
  }
  return null;
}

function existing({ name }: NewFile): string {
  return `${name} exists, and is left as it is: --force replaces it.`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'its file system is read-only'],
  ['ENOSPC', 'its disk is full'],
  ['EISDIR', 'there is a folder of that name'],
]);

function failure(file: NewFile, folder: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'EEXIST') return existing(file);
  return `${file.name} cannot be written in ${folder}: ${REASONS.get(code) ?? (code || String(error))}.`;
}

function whatNow(target: Target, served: Served | null, beside: string): string {
  const why = served === null ? '' : ` (${served.file}: ${served.server})`;
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

function asService(compose: string): string {
  return `\nAs a service of docker compose (lastbyte init --compose writes it to ${COMPOSE_FILE}):\n\n${compose}`;
}
