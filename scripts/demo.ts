/**
 * The demo: the same request to a real dev server, directly and through lastbyte, and the difference in numbers.
 * `--once` ends it after the numbers; `--embedded` takes Node's own http server, also where Django is there.
 */

import { parseArgs } from 'node:util';
import { frontWithLastbyte, type LastbyteFront } from '../test/harness/lastbyte.ts';
import { freePort, isFree } from '../test/harness/ports.ts';
import type { ServerProcess } from '../test/harness/process.ts';
import { startServerOn, whyMissing, type ServerName } from '../test/real/servers.ts';
import { ANSWER_BYTES, CHUNKED_UPLOAD, measureCell, type Cell } from './fault-table.ts';

const TRIES = 20;
const SERVER_PORT = 8000;
const PROXY_PORT = 8080;
/** Needs nothing but Node, and cuts as Django does. */
const EMBEDDED: ServerName = "Node's http";

const WHY =
  'Why: the view responds without reading the request body. When the server then closes the connection, the unread\n' +
  'bytes make its kernel send a reset (RST) and discard the part of the response that has not been sent yet.\n' +
  'lastbyte reads the whole response, checks that it is complete, and closes only after the client has closed.';

interface Stage {
  readonly name: string;
  readonly server: ServerProcess;
  readonly proxy: LastbyteFront;
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) return 2;
  const stopped = new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  const name = options.embedded ? EMBEDDED : chooseServer();
  await using server = await startServerOn(name, await choosePort(SERVER_PORT, name));
  await using proxy = await frontWithLastbyte(server.port, await choosePort(PROXY_PORT, 'lastbyte'));
  const stage = { name, server, proxy };
  say(`${name} listens on ${server.url}, lastbyte in front of it on ${proxy.url}.\n`);
  const first = await Promise.race([compare(stage), stopped]);
  if (first !== 'compared' || options.once) return 0;
  say(`\nBoth keep running until Ctrl-C:\n\n${addresses(stage)}\n`);
  await stopped;
  return 0;
}

function readOptions(): { readonly once: boolean; readonly embedded: boolean } | null {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ options: { once: flag, embedded: flag } }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return null;
  }
}

function chooseServer(): ServerName {
  const missing = whyMissing('Django runserver');
  if (missing === null) return 'Django runserver';
  say(`${missing} Using a server on Node's own http instead, which has the same fault.\n`);
  return EMBEDDED;
}

async function choosePort(preferred: number, name: string): Promise<number> {
  if (await isFree(preferred)) return preferred;
  const port = await freePort();
  say(`Port ${preferred} is in use, so ${name} takes port ${port}.\n`);
  return port;
}

async function compare({ name, server, proxy }: Stage): Promise<'compared'> {
  say(
    `A client posts 100,000 bytes, chunked, with "Connection: close", ${TRIES} times each way, and reads the\n`,
  );
  say(
    `${count(ANSWER_BYTES)}-byte response slowly, like a busy client. A dot is a complete response, an x a cut one.\n\n`,
  );
  const ways: readonly { readonly way: string; readonly port: number }[] = [
    { way: `directly from ${name}`, port: server.port },
    { way: 'through lastbyte', port: proxy.port },
  ];
  const width = Math.max(...ways.map(({ way }) => way.length));
  const rows: string[][] = [['', 'whole', 'cut', 'bytes lost at worst', 'how it ended']];
  for (const { way, port } of ways) {
    say(`${way.padEnd(width)}  `);
    const onTry = (whole: boolean): void => say(whole ? '.' : 'x');
    const cell = await measureCell({ port, upload: CHUNKED_UPLOAD, tries: TRIES, reader: 'slow', onTry });
    say('\n');
    rows.push([way, ...cellColumns(cell)]);
  }
  say(`\n${table(rows)}\n\n${WHY}\n`);
  return 'compared';
}

function cellColumns({ tries, whole, worstLossBytes, ends }: Cell): string[] {
  const ended = whole === tries ? 'whole, each time' : ends.join(', ');
  return [String(whole), String(tries - whole), count(worstLossBytes), ended];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}

function addresses({ name, server, proxy }: Stage): string {
  const request = "head -c 100000 /dev/zero | curl -sS -T - -X POST -H 'Connection: close' --limit-rate 20M";
  return [
    `  ${server.url}   ${name}`,
    `  ${proxy.url}   lastbyte`,
    '',
    'To try it with curl, use either address:',
    '',
    `  ${request} ${proxy.url}/bytes/${ANSWER_BYTES} | wc -c`,
  ].join('\n');
}

function count(bytes: number): string {
  return bytes.toLocaleString('en');
}

function say(text: string): void {
  process.stdout.write(text);
}

// A race that Ctrl-C has won leaves a comparison under way.
process.exit(await main());
