/** The response that says what went wrong: application/problem+json (RFC 9457), or one small page for a browser. */

import { listMembers, trimOws } from './fields.ts';

/** The parts of a ProxyError that a response shows. */
interface ProblemFacts {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly message: string;
  /** The error type of RFC 9209 section 2.3. */
  readonly proxyStatus: string;
}

export interface ProblemInput {
  readonly error: ProblemFacts;
  readonly html: boolean;
  /** The upstream to which the request was sent; null: none. */
  readonly nextHop: string | null;
  /** The status that the upstream had sent; null: none. */
  readonly receivedStatus: number | null;
  readonly details: string | null;
  /** Sentences that follow the error's message; null: none. */
  readonly more: string | null;
  /** Further members of the problem (RFC 9457 section 3.2), such as `attempts`. */
  readonly extensions: Readonly<Record<string, string | number | boolean | null>>;
  /** A URI reference for this occurrence (RFC 9457 section 3.1.5). */
  readonly instance: string;
}

export interface Problem {
  /** Flat: [name, value, …]. */
  readonly fields: string[];
  readonly body: Buffer;
}

/** An upstream that refuses connections is usually restarting, which is soon over. */
const RETRY_AFTER_SECONDS = 1;

export function renderProblem(input: ProblemInput): Problem {
  const body = Buffer.from(input.html ? page(input) : `${json(input)}\n`);
  const fields = [
    ...(input.html ? HTML_FIELDS : JSON_FIELDS),
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'Proxy-Status',
    proxyStatus(input),
  ];
  if (input.error.status === 503) fields.push('Retry-After', String(RETRY_AFTER_SECONDS));
  if (input.error.status === 405) fields.push('Allow', ALLOWED_METHODS);
  return { fields, body };
}

/** RFC 9110 section 15.5.6: a 405 lists the allowed methods. */
export const ALLOWED_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

const JSON_FIELDS: readonly string[] = ['Content-Type', 'application/problem+json'];

/** The page quotes what the upstream sent, so nothing on it may run or load, even if escaping failed. */
const HTML_FIELDS: readonly string[] = [
  'Content-Type',
  'text/html; charset=utf-8',
  'Content-Security-Policy',
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  'X-Content-Type-Options',
  'nosniff',
];

/** A URN instead of a URL: it has no host, so it stays the same when the documentation moves. */
function problemType(code: string): string {
  return `urn:lastbyte:error:${code}`;
}

function json(input: ProblemInput): string {
  const { instance, extensions } = input;
  const { code, title, status } = input.error;
  const standard = { type: problemType(code), title, status, detail: detail(input), instance };
  // First, so that readers see them first, and last, so that no extension overrides a standard member.
  return JSON.stringify({ ...standard, ...extensions, ...standard });
}

/** One list member of RFC 9209: a token with parameters (RFC 8941). */
function proxyStatus({ error, nextHop, receivedStatus, details }: ProblemInput): string {
  const parameters = [`error=${error.proxyStatus}`];
  if (nextHop !== null) parameters.push(`next-hop=${structuredString(nextHop)}`);
  if (receivedStatus !== null) parameters.push(`received-status=${Math.trunc(receivedStatus)}`);
  if (details !== null) parameters.push(`details=${structuredString(details)}`);
  return ['lastbyte', ...parameters].join('; ');
}

/**
 * For a delivered body that ended with its connection. No `error`, which would mean that something is known to be missing
 * (RFC 9209 section 2.1.1).
 */
export const UNVERIFIABLE_STATUS: readonly string[] = [
  'Proxy-Status',
  'lastbyte; details="the body ended with the connection: nothing proves that it is whole"',
];

/** RFC 8941 section 3.3.3: printable ASCII, with `"` and `\` escaped; other characters cannot be written. */
function structuredString(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/gu, '?').replace(/["\\]/g, '\\$&')}"`;
}

function detail({ error, more }: ProblemInput): string {
  return more === null ? error.message : `${error.message} ${more}`;
}

function page(input: ProblemInput): string {
  const { error, instance, nextHop, extensions } = input;
  const rows: ReadonlyArray<readonly [string, string]> = [
    ...(nextHop === null ? [] : [['upstream', nextHop] as const]),
    ...Object.entries(extensions).map(
      ([name, value]) => [name.replaceAll('_', ' '), shownValue(value)] as const,
    ),
    ['error', error.code],
    ['exchange', instance],
  ];
  const title = escapeHtml(error.title);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<title>${error.status} ${title}</title>
<style>${STYLE}</style>
<main>
<p class="status">${error.status}</p>
<h1>${title}</h1>
<p>${escapeHtml(detail(input))}</p>
<dl>
${rows.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${name === 'inspector' ? inspectorLink(value) : escapeHtml(value)}</dd>`).join('\n')}
</dl>
<p class="from">This response is from lastbyte, the proxy in front of the upstream.</p>
</main>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 44rem; margin: 10vh auto; padding: 0 1.5rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 1rem; }
.status { margin: 0; font-weight: 600; color: light-dark(#b3261e, #ff8a80); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1.5rem; margin: 2rem 0; }
dt { font-weight: 600; }
dd { margin: 0; font-family: ui-monospace, monospace; }
.from { font-size: 0.875rem; opacity: 0.75; }
`;

function shownValue(value: string | number | boolean | null): string {
  if (value === null) return 'unknown';
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}

/** The address is the inspector's own, not a peer's text. */
function inspectorLink(address: string): string {
  const escaped = escapeHtml(address);
  return `<a href="${escaped}">${escaped}</a>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const PAGES: readonly string[] = ['text/html', 'application/xhtml+xml'];
const DOCUMENTS: readonly string[] = ['application/problem+json', 'application/json'];

/**
 * True when the Accept field names HTML, and no JSON type with a higher weight (RFC 9110 section 12.5.1). Wildcards do not
 * count: curl and fetch send them, and their users read JSON more easily than HTML.
 */
export function prefersHtml(accept: string | undefined): boolean {
  const ranges = listMembers(accept ?? '');
  const html = bestWeight(ranges, PAGES);
  return html > 0 && html >= bestWeight(ranges, DOCUMENTS);
}

function bestWeight(ranges: readonly string[], types: readonly string[]): number {
  return Math.max(0, ...ranges.filter((range) => types.includes(mediaType(range))).map(weight));
}

function mediaType(range: string): string {
  return trimOws(range.replace(/;.*$/, ''));
}

/** Default: 1. An invalid weight counts as 0. */
function weight(range: string): number {
  const given = /;[ \t]*q[ \t]*=([^;]*)/.exec(range);
  if (given === null) return 1;
  const value = trimOws(
    range
      .slice(given.index)
      .replace(/^[^=]*=/, '')
      .replace(/;.*$/, ''),
  );
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(value) ? Number(value) : 0;
}
