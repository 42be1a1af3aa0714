/** Reads entries into routes. What cannot be honoured is a fault that names it. */

import type { IncomingMessage } from 'node:http';
import { ConfigError, shown } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';
import { readRules } from '../config/route-rules.ts';
import type { Rewriting } from '../http/rewriting.ts';
import type { Route } from './mounted.ts';
import { faultsOf, readShared } from './middleware.ts';
import type { SharedOptions } from './middleware.ts';

/** Names and meanings are those of Vite's `server.proxy`. */
export interface ProxyEntry {
  /** The server to ask: `http://127.0.0.1:8000`; a path in it comes before each path that is asked for. */
  readonly target: string | URL;
  /** Send the target's own name in Host.
   *  @default false; true for an entry that is a target alone */
  readonly changeOrigin?: boolean | undefined;
  /** Path and query as they go on. */
  readonly rewrite?: ((path: string) => string) | undefined;
  /** Whether an https target must have a certificate that can be verified.
   *  @default true */
  readonly secure?: boolean | undefined;
  /** Sent in the place of the client's fields of the same names. */
  readonly headers?: Readonly<Record<string, string | number | readonly string[]>> | undefined;
  /** Pass WebSockets on, too.
   *  @default false, unless the target is ws:// or wss:// */
  readonly ws?: boolean | undefined;
}

/** By how the path begins (`'/api'`), or a regular expression for path and query (`'^/api/v\\d+/'`). */
export type ProxyEntries = Readonly<Record<string, string | ProxyEntry>>;

/** Options that hold for all entries. */
export type EntriesOptions = Omit<SharedOptions, 'target' | 'changeOrigin' | 'insecure'>;

/** @throws ConfigError naming every entry and option that is wrong */
export function readEntries(entries: ProxyEntries, options: EntriesOptions): readonly [Route, ...Route[]] {
  const read = Object.entries(entries).map(([path, entry]) => readEntry(path, entry, options));
  const misplaced = ['target', 'changeOrigin', 'insecure'].flatMap((name) =>
    Reflect.get(options, name) === undefined ? [] : [ofEntries(name)],
  );
  const faults = distinct([...misplaced, ...faultsOf(...read)]);
  const [first, ...others] = read.flatMap((one) => (one.kind === 'route' ? [one.route] : []));
  if (first === undefined && faults.length === 0) faults.push(noEntry());
  if (first === undefined || faults.length > 0) throw new ConfigError(faults);
  return [first, ...others];
}

type ReadEntry =
  | { readonly kind: 'route'; readonly route: Route }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] };

function readEntry(path: string, given: unknown, options: EntriesOptions): ReadEntry {
  const entry = typeof given === 'string' ? { target: given, changeOrigin: true } : given;
  if (typeof entry !== 'object' || entry === null)
    return { kind: 'faults', faults: [entryFault(path, 'target', given, 'is no target', 'Write a URL')] };
  const { target, changeOrigin = false, rewrite, secure = true, headers, ws } = fieldsOf(entry);
  const { origin, prefix, isWs } = splitTarget(target);
  const settings = readShared({
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
  const unknown = Object.keys(entry)
    .filter((name) => !KNOWN.has(name) && Reflect.get(entry, name) !== undefined)
    .map((name) => unknownOption(path, name, Reflect.get(entry, name)));
  const unclear = Object.entries({ changeOrigin, secure, ws: ws ?? false })
    .filter(([, value]) => typeof value !== 'boolean')
    .map(([name, value]) =>
      entryFault(path, name, value, 'is neither true nor false', 'Write true or false'),
    );
  const faults = [...unknown, ...unclear, ...faultsOf(settings, rules).map((fault) => inEntry(path, fault))];
  if (settings.kind === 'faults' || rules.kind === 'faults' || faults.length > 0)
    return { kind: 'faults', faults };
  const { matches, rewriting } = rules.rules;
  const takesUpgrade = (incoming: IncomingMessage): boolean => (ws ?? isWs) === true && !isVites(incoming);
  return {
    kind: 'route',
    route: { matches, rewriting: under(prefix, rewriting), settings: settings.settings, takesUpgrade },
  };
}

type EntryFields = { readonly [Name in keyof ProxyEntry]: unknown };

/** No compiler has looked at a configuration in JavaScript. */
function fieldsOf(entry: object): EntryFields {
  return { target: undefined, ...entry };
}

/** The parts of a target: what is connected to, and what comes before each path. */
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

/** The socket by which Vite tells the browser what has changed. */
function isVites({ headers }: IncomingMessage): boolean {
  return ['vite-hmr', 'vite-ping'].includes(headers['sec-websocket-protocol'] ?? '');
}

const KNOWN: ReadonlySet<string> = new Set([
  'target',
  'changeOrigin',
  'rewrite',
  'secure',
  'headers',
  'ws',
] satisfies (keyof ProxyEntry)[]);

const ALWAYS = 'Leave it out: lastbyte always rewrites addresses that name the target';

/** What to do without options of Vite's that there are not here. */
const INSTEAD: ReadonlyMap<string, string> = new Map([
  ['xfwd', 'Leave it out: lastbyte always sends X-Forwarded-For, -Host, -Port and -Proto'],
  ['autoRewrite', ALWAYS],
  ['hostRewrite', ALWAYS],
  ['protocolRewrite', ALWAYS],
  ['cookieDomainRewrite', ALWAYS],
  ['timeout', 'Give clientSendTimeout among the options after the entries'],
  ['proxyTimeout', 'Give firstByteTimeout among the options after the entries'],
]);

function unknownOption(entry: string, name: string, value: unknown): Fault {
  const remedy = INSTEAD.get(name) ?? 'Leave it out, or keep this entry in server.proxy';
  return entryFault(
    entry,
    name,
    typeof value === 'function' ? null : value,
    'cannot be honoured by lastbyte',
    remedy,
  );
}

function entryFault(entry: string, name: string, value: unknown, problem: string, remedy: string): Fault {
  const origin = { kind: 'entry', entry, name } as const;
  return { option: name, value: value === null ? null : shown(value), origin, problem, remedy };
}

/** Of what an entry says in Vite's words. */
function inEntry(entry: string, fault: Fault): Fault {
  const isOfEntry = fault.origin.kind === 'property' && fault.origin.name === 'target';
  return isOfEntry ? { ...fault, origin: { kind: 'entry', entry, name: 'target' } } : fault;
}

function ofEntries(name: string): Fault {
  const origin = { kind: 'property', name } as const;
  const remedy = name === 'insecure' ? 'Write secure: false in the entry' : 'Write it in the entry';
  return { option: name, value: null, origin, problem: 'is not for all entries', remedy };
}

function noEntry(): Fault {
  const origin = { kind: 'property', name: 'entries' } as const;
  return {
    option: 'entries',
    value: null,
    origin,
    problem: 'has none',
    remedy: "Write { '/api': 'http://127.0.0.1:8000' }",
  };
}

/** What is wrong with an option for all is wrong in each entry. */
function distinct(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map((fault) => [JSON.stringify(fault), fault])).values()];
}
