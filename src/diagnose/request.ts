/** The requests of a diagnosis: the URL that the user gave, the bytes of each request, and the same as a curl command. */

import { parsed, wrong } from '../config/fault.ts';
import type { Parsed } from '../config/fault.ts';
import type { Target } from '../config/settings.ts';
import { hostAndPort, parseTarget, targetUrl } from '../config/target.ts';
import { eachField, fieldValue } from '../http/fields.ts';
import type { Fields } from '../http/fields.ts';
import { bodyWriter, shellWord } from '../observe/terminal-text.ts';
import { sendsBody, type Plan } from './scenarios.ts';

export interface Subject {
  readonly target: Target;
  /** Path and query, as they go into the request line. */
  readonly path: string;
  /** The value of the Host field. */
  readonly authority: string;
}

/** Any form of a target, followed by a path: `http://127.0.0.1:8000/report?all=1`, `8000/report`, `unix:/run/app.sock:/report`. */
export function parseSubject(text: string): Parsed<Subject> {
  const { address, path } = split(text.trim());
  const target = parseTarget(address);
  if (target.kind === 'wrong') return target;
  const [shown = ''] = path.split('#');
  if (/[^\x21-\x7e]/.test(shown)) {
    return wrong(
      'contains a character that a request line cannot have',
      'Percent-encode it, e.g. %20 for a space',
    );
  }
  return parsed({ target: target.value, path: shown, authority: authorityOf(target.value) });
}

/** The same requests to another address. */
export function redirected(template: RequestTemplate, target: Target): RequestTemplate {
  return { ...template, subject: { ...template.subject, target } };
}

export function subjectUrl({ target, path }: Subject): string {
  return target.kind === 'unix' ? `${targetUrl(target)}:${path}` : `${targetUrl(target)}${path}`;
}

function split(text: string): { readonly address: string; readonly path: string } {
  const unix = /^(?<address>unix:[^:]*):(?<path>\/.*)$/i.exec(text)?.groups;
  if (unix !== undefined) return { address: unix['address'] ?? '', path: unix['path'] ?? '/' };
  if (/^unix:/i.test(text)) return { address: text, path: '/' };
  const [scheme = ''] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text) ?? [];
  const rest = text.slice(scheme.length);
  const end = rest.search(/[/?#]/);
  if (end === -1) return { address: text, path: '/' };
  const path = rest.slice(end);
  return { address: scheme + rest.slice(0, end), path: path.startsWith('/') ? path : `/${path}` };
}

/** Without the scheme's default port, as clients write it (RFC 9110 section 7.2). */
function authorityOf(target: Target): string {
  if (target.kind === 'unix') return 'localhost';
  const { host, port, tls } = target;
  return port === (tls ? 443 : 80) ? hostAndPort(host, port).replace(/:\d+$/, '') : hostAndPort(host, port);
}

/** What the requests of all scenarios have in common. */
export interface RequestTemplate {
  readonly subject: Subject;
  readonly method: string;
  /** The user's own fields. */
  readonly fields: Fields;
  readonly body: Buffer;
}

/** Fields that a scenario sets, so that the user cannot. */
export const SCENARIO_FIELDS: readonly string[] = [
  'connection',
  'content-length',
  'expect',
  'transfer-encoding',
];

const CHUNK_BYTES = 16 * 1024;

export function methodOf({ method }: RequestTemplate, plan: Plan): string {
  return plan.method === 'GET' ? 'GET' : method;
}

/** The request line and the fields, with the empty line. */
export function requestHead(template: RequestTemplate, plan: Plan): string {
  const { subject, fields, body } = template;
  const lines = [`${methodOf(template, plan)} ${subject.path} HTTP/${plan.version}`];
  const add = (name: string, value: string): void => {
    if (fieldValue(fields, name.toLowerCase()) === undefined) lines.push(`${name}: ${value}`);
  };
  add('Host', subject.authority);
  add('User-Agent', 'lastbyte-diagnose');
  add('Accept', '*/*');
  eachField(fields, (name, value) => lines.push(`${name}: ${value}`));
  if (plan.body.framing !== 'none') add('Content-Type', 'application/octet-stream');
  lines.push(...framingLines(plan, body.length));
  // HTTP/1.0 closes on its own (RFC 9112 section 9.3).
  if (plan.version === '1.1') lines.push(`Connection: ${plan.connection}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function framingLines({ method, body }: Plan, length: number): string[] {
  switch (body.framing) {
    case 'none':
      return method === 'given' ? ['Content-Length: 0'] : [];
    case 'chunked':
      return ['Transfer-Encoding: chunked'];
    case 'length': {
      const expectation = body.sent === 'on-continue' ? ['Expect: 100-continue'] : [];
      return [`Content-Length: ${length}`, ...expectation];
    }
  }
}

/** The body as sent: the part right after the head, and the rest. */
export function bodyOf(
  template: RequestTemplate,
  { body }: Plan,
): { readonly first: Buffer; readonly rest: Buffer } {
  const none = Buffer.alloc(0);
  if (body.framing === 'none') return { first: none, rest: none };
  const bytes = body.framing === 'chunked' ? inChunks(template.body) : template.body;
  switch (body.sent) {
    case 'at-once':
      return { first: bytes, rest: none };
    case 'withheld':
    case 'on-continue':
      return { first: none, rest: bytes };
    case 'half': {
      const middle = Math.floor(bytes.length / 2);
      return { first: bytes.subarray(0, middle), rest: bytes.subarray(middle) };
    }
  }
}

function inChunks(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += CHUNK_BYTES) {
    const chunk = body.subarray(at, at + CHUNK_BYTES);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** Whether curl can do the same: it sends its body at once or after 100 (Continue), and does not half-close. */
export function curlCan({ body, halfClose }: Plan): boolean {
  return !halfClose && (body.framing === 'none' || body.sent === 'at-once' || body.sent === 'on-continue');
}

const TRIES = 10;
/** Slow enough that a response of some megabytes is still under way when the server closes. */
const SLOW_RATE = '20M';
const SHOWN = '%{http_code}, %{size_download} bytes\\n';

/** A shell command that sends the request of this plan, for people without lastbyte. */
export function curlCommand(
  template: RequestTemplate,
  plan: Plan,
  { insecure, limitMs }: { readonly insecure: boolean; readonly limitMs: number },
): string {
  const { target, path } = template.subject;
  const words = ['curl', '-sS', '-o', '/dev/null', '-w', quote(SHOWN)];
  words.push(plan.version === '1.0' ? '--http1.0' : '--http1.1', '-X', quote(methodOf(template, plan)));
  words.push('--max-time', String(Math.ceil(limitMs / 1000)));
  if (insecure) words.push('-k');
  if (plan.reader !== 'fast') words.push('--limit-rate', SLOW_RATE);
  for (const field of fieldsOf(template, plan)) words.push('-H', quote(field));
  if (sendsBody(plan)) words.push('--data-binary', '@-');
  if (target.kind === 'unix') words.push('--unix-socket', shellWord(target.path));
  const url = quote(target.kind === 'unix' ? `http://localhost${path}` : `${targetUrl(target)}${path}`);
  // With a second URL, curl reuses the connection if it can.
  words.push(url, ...(plan.again ? ['-o', '/dev/null', url] : []));
  const command = `${sendsBody(plan) ? `${bodyMaker(template.body)} | ` : ''}${words.join(' ')}`;
  return `for try in $(seq ${TRIES}); do ${command}; done`;
}

function fieldsOf({ fields }: RequestTemplate, plan: Plan): string[] {
  const own: string[] = [];
  eachField(fields, (name, value) => own.push(`${name}: ${value}`));
  if (plan.version === '1.1') own.push(`Connection: ${plan.connection}`);
  if (!sendsBody(plan)) return own;
  if (!own.some((field) => /^content-type:/i.test(field))) own.push('Content-Type: application/octet-stream');
  if (plan.body.framing === 'chunked') own.push('Transfer-Encoding: chunked');
  // curl adds an Expect field to large bodies; an empty one removes it.
  const expects = plan.body.framing !== 'none' && plan.body.sent === 'on-continue';
  own.push(expects ? 'Expect: 100-continue' : 'Expect:');
  return own;
}

/** A command that prints the body: filler by its length, anything else byte by byte. */
function bodyMaker(body: Buffer): string {
  const first = body.toString('latin1', 0, 1);
  if (/^\w$/.test(first) && body.equals(Buffer.alloc(body.length, first))) {
    return `head -c ${body.length} /dev/zero | tr '\\0' ${first}`;
  }
  return bodyWriter(body);
}

/** In fields and paths, each character is one byte. */
function quote(text: string): string {
  return shellWord(Buffer.from(text, 'latin1'));
}
