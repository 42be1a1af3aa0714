/** The fault table: which real server gives which request a whole response, and how that is written as Markdown. */

import { startServer, SERVER_NAMES, whyMissing, type ServerName } from '../test/real/servers.ts';
import { numberedBody } from '../test/real/numbered-body.ts';
import { wireRequest, type Reader, type Upload, type WireResponse } from '../test/real/wire-request.ts';

export const ANSWER_BYTES = 5_000_000;
/** More than a server's read buffer takes in along with the head: less would not stay unread in the kernel. */
const UPLOAD_BYTES = 100_000;

const EXPECTED = numberedBody(ANSWER_BYTES);
const UPLOAD = Buffer.alloc(UPLOAD_BYTES, 'u');

export const CHUNKED_UPLOAD: Upload = { kind: 'chunked', body: UPLOAD };

const UPLOADS: readonly Upload[] = [{ kind: 'none' }, { kind: 'length', body: UPLOAD }, CHUNKED_UPLOAD];

/** What n tries of one request brought. */
export interface Cell {
  readonly tries: number;
  readonly whole: number;
  /** The most that one response lost that had begun as a 200; 0 when none did. */
  readonly worstLossBytes: number;
  /** How the tries ended that were not whole, each way once. */
  readonly ends: readonly string[];
}

export interface Row {
  readonly server: ServerName;
  readonly cells: readonly Cell[];
}

/** Gives a port to ask in place of the server's own; disposing ends what stands there. */
export type Front = (serverPort: number) => Promise<{ readonly port: number } & AsyncDisposable>;

/** Measures every server that can run here; `report` is told of those that cannot. */
export async function measureAll(
  options: { readonly tries: number; readonly reader: Reader; readonly front: Front | null },
  report: (line: string) => void,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const server of SERVER_NAMES) {
    const missing = whyMissing(server);
    if (missing === null) rows.push(await measureServer(server, options));
    else report(missing);
  }
  return rows;
}

async function measureServer(
  name: ServerName,
  options: { readonly tries: number; readonly reader: Reader; readonly front: Front | null },
): Promise<Row> {
  await using server = await startServer(name);
  await using front = await (options.front?.(server.port) ?? null);
  const port = front?.port ?? server.port;
  const cells: Cell[] = [];
  for (const upload of UPLOADS) cells.push(await measureCell({ port, upload, ...options }));
  return { server: name, cells };
}

/** Asks n times, one after the other, each on a connection of its own that says `Connection: close`. */
export async function measureCell(options: {
  readonly port: number;
  readonly upload: Upload;
  readonly tries: number;
  readonly reader: Reader;
  readonly onTry?: (whole: boolean) => void;
}): Promise<Cell> {
  const { port, upload, reader } = options;
  const answers: WireResponse[] = [];
  for (let tried = 0; tried < options.tries; tried += 1) {
    const request = { path: `/bytes/${ANSWER_BYTES}`, upload, connection: 'close', reader } as const;
    const answer = await wireRequest(port, request);
    answers.push(answer);
    options.onTry?.(isWhole(answer));
  }
  return summarize(answers);
}

function summarize(answers: readonly WireResponse[]): Cell {
  const failed = answers.filter((answer) => !isWhole(answer));
  return {
    tries: answers.length,
    whole: answers.length - failed.length,
    worstLossBytes: Math.max(0, ...failed.map(lostBytes)),
    ends: [...new Set(failed.map(describeEnd))],
  };
}

function isWhole(answer: WireResponse): boolean {
  return answer.status === 200 && answer.end === 'whole' && answer.body.equals(EXPECTED);
}

/** A response that says that it failed has lost nothing. */
function lostBytes({ status, body }: WireResponse): number {
  return status === 200 ? ANSWER_BYTES - body.length : 0;
}

function describeEnd({ status, end }: WireResponse): string {
  if (status === 0) return 'no response';
  if (status !== 200) return `status ${status}`;
  return { whole: 'wrong bytes', fin: 'closed early', reset: 'reset', timeout: 'silence' }[end];
}

/** Rows as a Markdown table, one column an upload. */
export function markdown(rows: readonly Row[]): string {
  const head = ['5 MB response', 'GET', 'POST, Content-Length', 'POST, chunked'];
  const lines = rows.map(({ server, cells }) => [server, ...cells.map(cellText)]);
  return [head, head.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function cellText({ tries, whole, worstLossBytes, ends }: Cell): string {
  if (whole === tries) return `${whole} of ${tries} whole`;
  const loss = worstLossBytes > 0 ? [`${worstLossBytes.toLocaleString('en')} bytes lost at worst`] : [];
  return [`**${whole} of ${tries}** whole`, ends.join(', '), ...loss].join('; ');
}
