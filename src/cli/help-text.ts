/** `lastbyte --help`, written by yargs, which nothing else of the proxy's own commands waits for. */

import yargs, { type Argv } from 'yargs';
import { defaultOf, GROUPS } from '../config/option-table.ts';
import type { AnyOption } from '../config/option-type.ts';
import { COMMANDS } from './commands.ts';

export const MAX_HELP_COLUMNS = 100;

const SYNOPSES = [
  { synopsis: '$0 [target]', purpose: 'run the proxy in front of target' },
  ...COMMANDS.map(({ word, operands, purpose }) => ({ synopsis: `$0 ${word} ${operands}`, purpose })),
].map(({ synopsis, purpose }) => `${synopsis.padEnd('$0 print-config [target]'.length)}  ${purpose}`);

const USAGE = `Every response, to the last byte: a proxy for dev servers that close connections too early.

${SYNOPSES.join('\n')}`;

const EPILOGUE = `Every flag is also a variable (LASTBYTE_BODY_HOLD) and a key of the file (body-hold).
Sizes: 512kb, 10mb, 1gb. Times: 100ms, 30s, 5m, 0. Exit codes: 0 fine, 1 failed, 2 bad usage.`;

export async function helpText(columns: number): Promise<string> {
  const parser = yargs()
    .scriptName('lastbyte')
    .locale('en')
    .usage(USAGE)
    .wrap(Math.min(MAX_HELP_COLUMNS, columns));
  for (const { title, options } of GROUPS) for (const option of options) declare(parser, option, title);
  parser
    .option('config', { describe: 'Read options from this YAML or JSON file (or LASTBYTE_CONFIG).' })
    .option('json', { describe: 'print-config: as JSON.', boolean: true })
    .help()
    .alias('help', 'h')
    .version('')
    .group(['config', 'json', 'help', 'version'], 'Program:')
    .example('$0 8000', 'in front of a dev server on port 8000')
    .example('$0 django:8000 --host 0.0.0.0', 'beside a container, open to others')
    .example('$0 --config lastbyte.yaml --port 9000', 'a file, with one option changed')
    .epilogue(EPILOGUE);
  return await parser.getHelp();
}

function declare(parser: Argv, { name, setting, purpose, type }: AnyOption, title: string): void {
  const words = type.schema['enum'];
  const describe = Array.isArray(words) ? `${purpose} One of ${words.join(', ')}.` : purpose;
  const value = defaultOf(setting);
  const text = value === null ? '' : String(value);
  const shownDefault = text === '' ? {} : { defaultDescription: text };
  parser.option(name, { describe, group: `${title}:`, ...shownDefault });
}
