/** Which requests a route takes, and what it changes in them: read from a program's options before the first request. */

import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Rewriting } from '../http/rewriting.ts';
import { shown } from './fault.ts';
import type { Fault, Origin } from './fault.ts';

export type ReadRules =
  | { readonly kind: 'rules'; readonly rules: RouteRules }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] };

export interface RouteRules {
  /** Compares with the request target. */
  readonly matches: (url: string) => boolean;
  readonly rewriting: Rewriting;
}

/** As they were given, possibly by a program without types. */
export interface RawRules {
  readonly paths: unknown;
  readonly rewrite: unknown;
  readonly headers: unknown;
}

/** @param originOf where a rule was set */
export function readRules(raw: RawRules, originOf: (name: keyof RawRules) => Origin): ReadRules {
  const faults: Fault[] = [];
  const blame =
    (option: keyof RawRules): Blame =>
    (value, problem, remedy) => {
      const origin = originOf(option);
      faults.push({ option, value: value === null ? null : shown(value), origin, problem, remedy });
    };
  const matches = readPaths(raw.paths, blame('paths'));
  const fields = readHeaders(raw.headers, blame('headers'));
  const path = readRewrite(raw.rewrite, blame('rewrite'));
  if (faults.length > 0) return { kind: 'faults', faults };
  return { kind: 'rules', rules: { matches, rewriting: { path, fields } } };
}

type Blame = (value: unknown, problem: string, remedy: string) => void;
type Matches = RouteRules['matches'];

function readPaths(raw: unknown, blame: Blame): Matches {
  if (raw === undefined) return () => true;
  const written = Array.isArray(raw) ? raw : [raw];
  const patterns = written.flatMap((pattern: unknown) => {
    const matches = typeof pattern === 'string' ? matchesOf(pattern) : null;
    if (matches === null)
      blame(
        pattern,
        'is neither the beginning of a path nor a regular expression',
        "Write '/api', or '^/api/v\\d+/' for a regular expression",
      );
    return matches === null ? [] : [matches];
  });
  return (url) => patterns.some((matches) => matches(url));
}

/** As Vite reads the keys of `server.proxy`: a regular expression begins with `^`; anything else is a prefix of the target. */
function matchesOf(pattern: string): Matches | null {
  if (pattern.startsWith('/')) return (url) => url.startsWith(pattern);
  if (!pattern.startsWith('^')) return null;
  try {
    const expression = new RegExp(pattern);
    return (url) => expression.test(url);
  } catch {
    return null;
  }
}

/** lastbyte sets these for each connection; Host depends on the target. */
const OURS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function readHeaders(raw: unknown, blame: Blame): string[] {
  if (raw === undefined) return [];
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    blame(raw, 'is not an object of names and values', "Write { 'x-name': 'value' }");
    return [];
  }
  return Object.entries(raw).flatMap(([name, value]: [string, unknown]) => {
    const values = Array.isArray(value) ? value : [value];
    if (OURS.has(name.toLowerCase()))
      blame(name, 'is set by lastbyte', name.toLowerCase() === 'host' ? 'Use changeOrigin' : 'Leave it out');
    else if (!values.every((one) => isSendable(name, one)))
      blame(name, 'has a name or a value that HTTP does not allow', 'Use only characters that HTTP allows');
    return values.flatMap((one) => [name, String(one)]);
  });
}

function isSendable(name: string, value: unknown): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, String(value));
    return typeof value === 'string' || typeof value === 'number';
  } catch {
    return false;
  }
}

function readRewrite(raw: unknown, blame: Blame): Rewriting['path'] {
  if (raw === undefined) return null;
  if (isRewrite(raw)) return raw;
  blame(raw, 'is not a function', "Write (path) => path.replace(/^\\/api/, '')");
  return null;
}

function isRewrite(raw: unknown): raw is (path: string) => string {
  return typeof raw === 'function';
}
