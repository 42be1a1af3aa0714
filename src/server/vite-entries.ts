/** Reads the entries of the Vite plugin into routes. */

import type { IncomingMessage } from 'node:http';
import { ConfigError, shown } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';
import { readRules } from '../config/route-rules.ts';
import type { Rewriting } from '../http/rewriting.ts';
import type { Route } from './mounted.ts';
import { faultsOf, readShared } from './middleware.ts';
import type { EntriesOptions, ProxyEntries, ProxyEntry } from './vite-plugin.ts';

/** @throws ConfigError naming every entry and option that is wrong */
export function readEntries(entries: ProxyEntries, options: EntriesOptions): readonly [Route, ...Route[]] {
  const faults: Fault[] = ['target', 'changeOrigin', 'insecure']
    .filter((name) => Reflect.get(options, name) !== undefined)
    .map(misplaced);
  const [first, ...others] = Object.entries(entries).flatMap(([path, entry]) => {
    const read = readEntry(path, entry, options);
    if ('settings' in read) return [read];
    faults.push(...read);
    return [];
  });
  if (first === undefined && faults.length === 0) faults.push(NO_ENTRY);
  if (first === undefined || faults.length > 0) throw new ConfigError(distinct(faults));
  return [first, ...others];
}

function readEntry(path: string, raw: unknown, options: EntriesOptions): Route | readonly Fault[] {
  const entry = typeof raw === 'string' ? { target: raw, changeOrigin: true } : raw;
  if (typeof entry !== 'object' || entry === null)
    return [entryFault(path, 'target', raw, 'is no target', 'Write a URL')];
  const known: EntryFields = { target: undefined, ...entry };
  const { target, changeOrigin = false, rewrite, secure = true, headers, ws, ...unknown } = known;
  const { origin, prefix, isWs } = splitTarget(target);
  const shared = readShared({
    ...options,
    target: origin,
    changeOrigin: changeOrigin === true,
    insecure: secure === false,
  });
  const rules = readRules({ paths: path, rewrite, headers }, (name) => ({
    kind: 'entry',
    entry: path,
    name,
  }));
  const faults = [
    ...unknownOptions(path, unknown),
    ...Object.entries({ changeOrigin, secure, ws: ws ?? false })
      .filter(([, value]) => typeof value !== 'boolean')
      .map(([name, value]) =>
        entryFault(path, name, value, 'is neither true nor false', 'Write true or false'),
      ),
    ...faultsOf(shared, rules).map((fault) => inEntry(path, fault)),
  ];
  if (shared.kind === 'faults' || rules.kind === 'faults' || faults.length > 0) return faults;
  const { matches, rewriting } = rules.rules;
  const takesUpgrade = (incoming: IncomingMessage): boolean => (ws ?? isWs) === true && !isVites(incoming);
  return { matches, rewriting: under(prefix, rewriting), settings: shared.settings, takesUpgrade };
}

/** A configuration in JavaScript may hold anything. */
type EntryFields = { readonly [Name in keyof ProxyEntry]: unknown };

/** The parts of a target: where to connect, and what comes before each path. */
function splitTarget(target: unknown): {
  readonly origin: string;
  readonly prefix: string;
  readonly isWs: boolean;
} {
  const text =
    target instanceof URL ? target.href : typeof target === 'string' ? target : shown(target ?? '');
  const http = text.replace(/^ws(s?):/i, 'http$1:');
  const [, origin = http, path = ''] = /^(https?:\/\/[^/?#]+)(\/[^?#]*)$/i.exec(http) ?? [];
  return { origin, prefix: path.replace(/\/$/, ''), isWs: http !== text };
}

function under(prefix: string, rewriting: Rewriting): Rewriting {
  const { path, fields } = rewriting;
  if (prefix === '') return rewriting;
  return { path: (asked) => prefix + (path === null ? asked : path(asked)), fields };
}

/** The WebSocket of Vite itself, for hot reloads. */
function isVites({ headers }: IncomingMessage): boolean {
  return ['vite-hmr', 'vite-ping'].includes(headers['sec-websocket-protocol'] ?? '');
}

const ALWAYS = 'Leave it out: lastbyte always rewrites addresses that name the target';

/** What to do instead of setting an option of Vite that lastbyte does not have. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['xfwd', 'Leave it out: lastbyte always sends X-Forwarded-For, -Host, -Port and -Proto'],
  ['autoRewrite', ALWAYS],
  ['hostRewrite', ALWAYS],
  ['protocolRewrite', ALWAYS],
  ['cookieDomainRewrite', ALWAYS],
  ['timeout', 'Give clientSendTimeout among the options after the entries'],
  ['proxyTimeout', 'Give firstByteTimeout among the options after the entries'],
]);

function unknownOptions(entry: string, options: Readonly<Record<string, unknown>>): Fault[] {
  return Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => {
      const shownValue = typeof value === 'function' ? null : value;
      const remedy = INSTEAD.get(name) ?? 'Leave it out, or keep this entry in server.proxy';
      return entryFault(entry, name, shownValue, 'cannot be honoured by lastbyte', remedy);
    });
}

function entryFault(entry: string, name: string, value: unknown, problem: string, remedy: string): Fault {
  const origin = { kind: 'entry', entry, name } as const;
  return { option: name, value: value === null ? null : shown(value), origin, problem, remedy };
}

/** A fault in `target` is reported as the entry's. */
function inEntry(entry: string, fault: Fault): Fault {
  const isOfEntry = fault.origin.kind === 'property' && fault.origin.name === 'target';
  return isOfEntry ? { ...fault, origin: { kind: 'entry', entry, name: 'target' } } : fault;
}

function misplaced(name: string): Fault {
  const origin = { kind: 'property', name } as const;
  const remedy = name === 'insecure' ? 'Write secure: false in the entry' : 'Write it in the entry';
  return { option: name, value: null, origin, problem: 'is not for all entries', remedy };
}

const NO_ENTRY: Fault = {
  option: 'entries',
  value: null,
  origin: { kind: 'property', name: 'entries' },
  problem: 'has none',
  remedy: "Write { '/api': 'http://127.0.0.1:8000' }",
};

/** A wrong option for all entries is found once for each entry. */
function distinct(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
}
