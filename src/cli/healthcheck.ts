/** `lastbyte healthcheck`: asks the admin listener whether the proxy lives, for a container engine or a script. */

import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { Target } from '../config/settings.ts';
import { openConnection } from '../upstream/dial.ts';
import type { ConnectResult } from '../upstream/connection.ts';
import { faultReport } from './report.ts';
import { parseHealthcheckLine } from './healthcheck-line.ts';
import type { Surroundings } from './surroundings.ts';

const HEALTHY = 0;
const UNHEALTHY = 1;
const BAD_USAGE = 2;

/** Under the 3 s that the image gives it: our sentence is worth more than the engine's "timed out". */
const TIMEOUT_MS = 2_000;

const HELP = `lastbyte healthcheck [url]

Asks the admin listener's /healthz whether the proxy lives, and waits up to 2 s for the answer.
Without url it takes the address from the proxy's own settings: --config, LASTBYTE_* variables and
flags, which are the same as of lastbyte itself (lastbyte --help). By default 127.0.0.1:8081.

  --ready     ask /readyz: whether the upstream takes connections, too
  -h, --help  show this help

Examples:
  lastbyte healthcheck
  lastbyte healthcheck --config lastbyte.yaml
  lastbyte healthcheck 9000 --ready

Exit codes: 0 it answered 200, 1 it did not, 2 bad usage or configuration.
`;

/** @param argv what stands behind the word `healthcheck` */
export async function healthcheckCommand(
  argv: readonly string[],
  { env, streams: { stdout, stderr } }: Surroundings,
): Promise<number> {
  const line = parseHealthcheckLine(argv, env);
  switch (line.kind) {
    case 'help':
      stdout.write(HELP);
      return HEALTHY;
    case 'faults':
      stderr.write(faultReport(line.faults));
      return BAD_USAGE;
    case 'nobody':
      stderr.write(`${line.sentence}\n`);
      return UNHEALTHY;
    case 'question': {
      const complaint = await complaintAfterAsking(line.url, line.target);
      if (complaint === null) stdout.write(`${line.url.href} answers 200.\n`);
      else stderr.write(`${line.url.href} ${complaint}\n`);
      return complaint === null ? HEALTHY : UNHEALTHY;
    }
  }
}

const ELSEWHERE =
  'see that lastbyte runs, that --admin-host and --admin-port are the same here as there, and that it has no --no-admin.';

/** Null when it answers 200; else what happened and what helps, behind the address. Settles within the time limit. */
async function complaintAfterAsking(url: URL, target: Target): Promise<string | null> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const result = await openConnection({ target, insecure: false, timeoutMs: TIMEOUT_MS, asStream: true })
    .result;
  if (result.kind === 'failed') return result.timedOut ? TIMED_OUT : failure(result.errorCode, result.detail);
  return await complaintOverConnection(url, result, signal);
}

function complaintOverConnection(
  url: URL,
  { connection }: Extract<ConnectResult, { kind: 'connected' }>,
  signal: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    const createConnection = (): Socket => connection.socket;
    const asking = request(url, { signal, createConnection }, (response) => {
      resolve(response.statusCode === 200 ? null : complaintOf(response.statusCode, url));
      connection.destroy();
    });
    asking.on('error', (error) => {
      connection.destroy();
      resolve(signal.aborted ? TIMED_OUT : failure('code' in error ? String(error.code) : error.message));
    });
    asking.end();
  });
}

const TIMED_OUT = `did not answer within ${TIMEOUT_MS / 1000} s: it hangs or has more to do than it can, so restart it if that lasts; its log tells more.`;

function complaintOf(status: number | undefined, url: URL): string {
  if (status === 503 && url.pathname === '/readyz')
    return 'answers 503: lastbyte runs, but its upstream takes no connections; see that it runs, and --target.';
  return `answers ${status}, not 200: that may be another program; ${ELSEWHERE}`;
}

function failure(code: string, addresses: string | null = null): string {
  const known = FAILURES.get(code);
  const where = addresses ?? (known === undefined ? code : null);
  return `${known ?? 'cannot be asked'}${where === null ? '' : ` (${where})`}: ${ELSEWHERE}`;
}

const FAILURES: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refuses connections'],
  ['ECONNRESET', 'closed the connection without an answer'],
  ['ENOTFOUND', 'has a host name without an address'],
]);
