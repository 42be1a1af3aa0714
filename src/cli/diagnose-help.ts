/** `lastbyte diagnose --help`, written by yargs. */

import yargs from 'yargs';
import { DIAGNOSE_OPTION_NAMES, DIAGNOSE_OPTIONS } from '../diagnose/options.ts';
import { MAX_HELP_COLUMNS } from './help-text.ts';

const USAGE = `$0 diagnose <url>

Asks the server at <url> in all the ways in which clients ask, on raw sockets of its own, and says
whether it closes connections before its answers are whole, and what helps. Bodies are sent with
GET unless --method names another: an unsafe method is sent in each try, and the server does each
time what it does for it. Give it an address whose answer is large.`;

const EPILOGUE = `The table: how many answers arrived whole, what was lost, and how the connection ended. RST: the
server reset it. FIN: it closed it in order.
Sizes: 512kb, 10mb. Times: 100ms, 30s, 5m.
Exit codes: 0 no fault found, 1 fault found, 2 bad usage, 3 could not be reached.`;

const BODY_OPTIONS = ['method', 'header', 'data', 'body-size'];
const REPORT_OPTIONS = ['json', 'curl', 'help', 'version'];

export async function diagnoseHelpText(columns: number): Promise<string> {
  const parser = yargs()
    .scriptName('lastbyte')
    .locale('en')
    .usage(USAGE)
    .wrap(Math.min(MAX_HELP_COLUMNS, columns));
  for (const name of DIAGNOSE_OPTION_NAMES) {
    const { name: flag, purpose, type, default: preset } = DIAGNOSE_OPTIONS[name];
    const shown = shownDefault(type, preset);
    parser.option(flag, { describe: purpose, ...(shown === '' ? {} : { defaultDescription: shown }) });
  }
  parser
    .option('data', { describe: 'The body; @file: the content of this file.' })
    .option('json', { describe: 'Write the report as JSON.', boolean: true })
    .option('curl', {
      describe: 'Write a curl command that shows the worst of it; the report goes to stderr.',
      boolean: true,
    })
    .help()
    .alias('help', 'h')
    .version('')
    .group(BODY_OPTIONS, 'Request:')
    .group(REPORT_OPTIONS, 'Report:')
    .example('$0 diagnose 8000/report', 'what a GET of /report shows, with and without a body')
    .example('$0 diagnose 8000/api --method POST --data @body.json', 'as a client posts to it')
    .example('$0 diagnose 8000/report --through 8080', 'the same beside a lastbyte on port 8080')
    .example('$0 diagnose 8000/report --curl | bash', 'show the fault with curl')
    .epilogue(EPILOGUE);
  return await parser.getHelp();
}

function shownDefault<T>(type: { format(value: T): unknown }, preset: T): string {
  if (preset === null || Array.isArray(preset)) return '';
  return String(type.format(preset));
}
