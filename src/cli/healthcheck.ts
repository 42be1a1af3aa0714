/** `lastbyte healthcheck [url]`: asks the admin listener whether the proxy is healthy, for a container engine or a script. */

import { request } from 'node:http';
import type { Socket } from 'node:net';
import { parsed, wrong } from '../config/fault.ts';
import type { Fault, Parsed } from '../config/fault.ts';
import { loadSettings } from '../config/resolve.ts';
import type { Settings, Target } from '../config/settings.ts';
import { isUnspecified, parseTarget, targetUrl } from '../config/target.ts';
import { openConnection } from '../upstream/dial.ts';
import type { ConnectResult } from '../upstream/connection.ts';
import { BAD_USAGE, FAILURE, SUCCESS, type Command } from './commands.ts';
import { faultReport, type Line, lineFault, surplusFaults } from './line.ts';
import { settingsOptions, settingsRequest } from './proxy.ts';

/** Less than the 3 s that the image allows, so that our message appears and not the engine's "timed out". */
const TIMEOUT_MS = 2_000;

const USAGE = `Usage: $0 healthcheck [options] [url]

Requests /healthz from the admin port of a running lastbyte and waits up to 2 s
for the response. Without a URL, it finds the port in the proxy's own settings:
--config, LASTBYTE_* variables, and the flags of lastbyte itself (lastbyte
--help --all). The default is 127.0.0.1:8081.`;

export const healthcheck: Command = {
  options: (all) => ({
    ...settingsOptions(all ? 'all' : 'none'),
    ready: { describe: 'Request /readyz: also check that the upstream accepts connections.', boolean: true },
  }),
  help: (y) =>
    y
      .usage(USAGE)
      .example('$0 healthcheck', 'use the variables and defaults')
      .example('$0 healthcheck --config lastbyte.yaml', 'use this file')
      .example('$0 healthcheck 9000 --ready', 'admin port 9000, and its upstream')
      .epilogue('Exit codes: 0 healthy (status 200), 1 not healthy, 2 bad usage or configuration.'),
  run: async (line, { env, streams: { stdout, stderr } }) => {
    const check = readCheck(line, env);
    switch (check.kind) {
      case 'faults':
        stderr.write(faultReport(check.faults));
        return BAD_USAGE;
      case 'no-listener':
        stderr.write(`${check.sentence}\n`);
        return FAILURE;
      case 'check': {
        const problem = await problemAt(check.url, check.target);
        if (problem === null) stdout.write(`${check.url.href} answers 200.\n`);
        else stderr.write(`${check.url.href} ${problem}\n`);
        return problem === null ? SUCCESS : FAILURE;
      }
    }
  },
};

type Check =
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  /** There is no admin listener, or its port is unknown. */
  | { readonly kind: 'no-listener'; readonly sentence: string }
  | { readonly kind: 'check'; readonly url: URL; readonly target: Target };

const URL_ARGUMENT = { kind: 'argument', name: 'url' } as const;

function readCheck(line: Line, env: NodeJS.ProcessEnv): Check {
  const { ready, ...flags } = line.flags;
  const [word, ...surplus] = line.words;
  const { faults: ofFlags, ...sources } = settingsRequest(flags);
  const loaded = loadSettings({ ...sources, env });
  const address = word === undefined ? null : addressOf(word);
  const faults = [
    ...surplusFaults(surplus, 'Write only one address'),
    ...line.faults,
    ...ofFlags,
    ...(address?.kind === 'wrong' ? [lineFault(URL_ARGUMENT, address.problem, address.remedy, word)] : []),
    ...(loaded.kind === 'faults' ? loaded.faults : []),
  ];
  if (loaded.kind === 'faults' || faults.length > 0) return { kind: 'faults', faults };
  const given = address?.kind === 'value' ? address.value : null;
  const noListener = given === null ? whyNoListener(loaded.settings) : null;
  if (noListener !== null) return { kind: 'no-listener', sentence: noListener };
  const target = given ?? listener(loaded.settings.adminHost, loaded.settings.adminPort);
  const url = new URL(`${targetUrl(target)}${ready === true ? '/readyz' : '/healthz'}`);
  return { kind: 'check', url, target };
}

/** The address on the line: any form that a target can have, with or without the page. */
function addressOf(word: string): Parsed<Target> {
  const target = parseTarget(word.trim().replace(/\/(healthz|readyz)$/, ''));
  if (target.kind === 'wrong') return target;
  if (target.value.kind === 'tcp' && !target.value.tls) {
    return parsed(listener(target.value.host, target.value.port));
  }
  const remedy = 'The admin port speaks nothing else: write 8081 or http://127.0.0.1:8081';
  return wrong('is not a plain HTTP address', remedy);
}

/** A client cannot connect to the unspecified address, but it includes 127.0.0.1, and so does `::` (net, `ipv6Only`). */
function listener(host: string, port: number): Target {
  return { kind: 'tcp', tls: false, host: isUnspecified(host) ? '127.0.0.1' : host, port };
}

function whyNoListener({ admin, adminPort }: Settings): string | null {
  const remedy = 'or give the address to ask: lastbyte healthcheck 8081.';
  if (!admin)
    return `There is nobody to ask, because the admin listener is turned off: leave --no-admin out, ${remedy}`;
  if (adminPort === 0)
    return `The admin listener's port is not known, because --admin-port 0 takes any free one: choose one, ${remedy}`;
  return null;
}

const ELSEWHERE =
  'see that lastbyte runs, that --admin-host and --admin-port are the same here as there, and that it has no --no-admin.';

/** Null: it responds with 200. Otherwise what happened and what helps. Resolves within the time limit. */
async function problemAt(url: URL, target: Target): Promise<string | null> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const result = await openConnection({ target, insecure: false, timeoutMs: TIMEOUT_MS, asStream: true })
    .result;
  if (result.kind === 'failed')
    return result.timedOut ? TIMED_OUT : connectionProblem(result.errorCode, result.detail);
  return await problemOver(url, result, signal);
}

function problemOver(
  url: URL,
  { connection }: Extract<ConnectResult, { kind: 'connected' }>,
  signal: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    const createConnection = (): Socket => connection.socket;
    const outgoing = request(url, { signal, createConnection }, (response) => {
      resolve(response.statusCode === 200 ? null : statusProblem(response.statusCode, url));
      connection.destroy();
    });
    outgoing.on('error', (error) => {
      connection.destroy();
      resolve(
        signal.aborted ? TIMED_OUT : connectionProblem('code' in error ? String(error.code) : error.message),
      );
    });
    outgoing.end();
  });
}

const TIMED_OUT = `did not answer within ${TIMEOUT_MS / 1000} s: it hangs or has more to do than it can, so restart it if that lasts; its log tells more.`;

function statusProblem(status: number | undefined, url: URL): string {
  if (status === 503 && url.pathname === '/readyz')
    return 'answers 503: lastbyte runs, but its upstream takes no connections; see that it runs, and --target.';
  return `answers ${status}, not 200: that may be another program; ${ELSEWHERE}`;
}

function connectionProblem(code: string, addresses: string | null = null): string {
  const known = FAILURES.get(code);
  const where = addresses ?? (known === undefined ? code : null);
  return `${known ?? 'cannot be asked'}${where === null ? '' : ` (${where})`}: ${ELSEWHERE}`;
}

const FAILURES: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refuses connections'],
  ['ECONNRESET', 'closed the connection without a response'],
  ['ENOTFOUND', 'has a host name without an address'],
]);
