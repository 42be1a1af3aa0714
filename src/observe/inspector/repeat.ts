/** How a request can be sent again: by the proxy, as it was or edited, or as a curl command. */

import { fieldValue, withoutFields } from '../../http/fields.ts';
import { originForm } from '../../http/request.ts';
import { REDACTED, redactFields, redactUrl } from '../redact.ts';
import { bodyWriter, shellWord } from '../terminal-text.ts';
import { readableBody } from './body.ts';
import type { ReadableBody } from './body.ts';
import type { Entry } from './ring.ts';
import type { CurlFile, FieldPair } from './types.ts';

/** Undefined: unchanged. */
export interface Edit {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly fields: readonly FieldPair[] | undefined;
  /** Empty: no body. */
  readonly body: string | undefined;
}

export interface ReplayCommand {
  readonly confirm: boolean;
  readonly edit: Edit;
}

export interface ReplayRequest {
  readonly method: string;
  readonly url: string;
  readonly fields: readonly string[];
  readonly body: Buffer | null;
}

/** @returns a sentence if something is wrong with it */
export function readReplayCommand(text: string): ReplayCommand | string {
  const command = parsed(text);
  if (typeof command !== 'object' || command === null)
    return 'The body is a JSON object, such as {"confirm": true}.';
  const { confirm, edit = {} }: { readonly confirm?: unknown; readonly edit?: unknown } = command;
  const read = readEdit(edit);
  return typeof read === 'string' ? read : { confirm: confirm === true, edit: read };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
/** A part of RFC 9112 section 3.2.1: nothing that could end the line. */
const PATH = /^\/[\x21-\x7e]*$/;
/** RFC 9110 section 5.5: one byte per character. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

function readEdit(edit: unknown): Edit | string {
  if (typeof edit !== 'object' || edit === null) return '"edit" is an object.';
  const { method, path, fields, body }: Readonly<Partial<Record<keyof Edit, unknown>>> = edit;
  if (method !== undefined && !(matches(method, TOKEN) && method !== 'CONNECT'))
    return 'The method is one word, and not CONNECT.';
  if (path !== undefined && !matches(path, PATH))
    return 'The path begins with / and has neither spaces nor letters beyond ASCII: write them as %20.';
  if (fields !== undefined && !isFields(fields))
    return 'A field is a name without spaces, and a value in one line of Latin-1.';
  if (body !== undefined && typeof body !== 'string') return 'The body is text.';
  return { method, path, fields, body };
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isFields(value: unknown): value is FieldPair[] {
  const isPair = (one: unknown): boolean =>
    Array.isArray(one) && one.length === 2 && matches(one[0], TOKEN) && matches(one[1], VALUE);
  return Array.isArray(value) && value.every(isPair);
}

/** @returns a sentence if it cannot be sent */
export function requestAgain(entry: Entry, edit: Edit): ReplayRequest | string {
  const obstacle = requestObstacle(entry) ?? (edit.body === undefined ? bodyObstacle(entry) : null);
  if (obstacle !== null) return obstacle;
  const { method, url: path, requestFields } = entry.begun;
  const url = edit.path === undefined || edit.path === redactUrl(path) ? path : edit.path;
  if (url !== path && url.includes(REDACTED)) return stillRedacted('path');
  const fields = edit.fields === undefined ? requestFields : restored(requestFields, edit.fields);
  if (typeof fields === 'string') return fields;
  const body = bodyAgain(entry, edit.body);
  if (body === null) return stillRedacted('body');
  return {
    method: edit.method ?? method,
    url,
    fields: body.isDecoded ? withoutFields(fields, new Set(['content-encoding'])) : fields,
    body: body.bytes,
  };
}

const stillRedacted = (what: string): string =>
  `The ${what} holds ${REDACTED}, which stands for a secret: write it in, or leave the ${what} as it was.`;

/** Fields that were left as they are shown get their secrets back. Returns a sentence if a secret is still missing. */
function restored(original: readonly string[], edited: readonly FieldPair[]): string[] | string {
  const shown = redactFields(original);
  const fields: string[] = [];
  for (const [name, value] of edited) {
    const at = shown.findIndex(
      (one, index) =>
        index % 2 === 0 && one.toLowerCase() === name.toLowerCase() && shown[index + 1] === value,
    );
    const secret = at < 0 ? undefined : original[at + 1];
    if (secret === undefined && value.includes(REDACTED)) return stillRedacted(`field ${name}`);
    fields.push(name, secret ?? value);
  }
  return fields;
}

interface BodyAgain {
  readonly bytes: Buffer | null;
  /** Whether its Content-Encoding was removed. */
  readonly isDecoded: boolean;
}

/** Null: it has a placeholder instead of a secret. */
function bodyAgain({ begun, record }: Entry, edited: string | undefined): BodyAgain | null {
  const kept = record?.notes?.requestBody ?? null;
  const readable = readableBody(kept, begun.requestFields);
  const isAsShown = readable?.isText === true && readable.bytes.toString() === edited;
  if (edited === undefined || (isAsShown && readable.isWhole))
    return { bytes: kept?.content() ?? null, isDecoded: false };
  if (edited.includes(REDACTED)) return null;
  return { bytes: edited === '' ? null : Buffer.from(edited), isDecoded: readable?.isDecoded === true };
}

/** Why it cannot be sent again; null: it can. */
export function replayObstacle(entry: Entry): string | null {
  return requestObstacle(entry) ?? bodyObstacle(entry);
}

/** The same, without regard to its body. */
function requestObstacle({ begun, record }: Entry): string | null {
  if (record === null) return 'It is still under way: wait for its end.';
  if (begun.method === '-') return 'It never was a request: what came could not be parsed.';
  if (record.outcome === 'upgraded')
    return 'It was an upgrade: both sides of its conversation would be needed.';
  return record.notes === null ? 'Nothing of it was kept: the inspector was not watching yet.' : null;
}

/** Why its whole body cannot be sent again; null: it can, or there was none. */
function bodyObstacle(entry: Entry): string | null {
  const { begun, record } = entry;
  const length = fieldValue(begun.requestFields, 'content-length');
  if (length === undefined && fieldValue(begun.requestFields, 'transfer-encoding') === undefined) return null;
  if (record === null || record.notes === null) return requestObstacle(entry);
  const { requestBody } = record.notes;
  if (requestBody === null && length === '0') return null;
  if (requestBody === null) {
    return 'Its body is not kept: it was passed on as it came, newer ones took its place, or too many came at once.';
  }
  if (requestBody.bytes !== requestBody.keptBytes || requestBody.bytes !== record.requestBodyBytes) {
    return `Only ${requestBody.keptBytes} bytes of its body are kept, and a part of a body is another request.`;
  }
  return null;
}

/** curl sets these on its own. */
const OWN: readonly string[] = ['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'expect'];

/** Linux allows 128 KiB per argument, but line editors become slow long before. */
const MAX_WORD_BYTES = 64 * 1024;

/**
 * The whole request in one command. Null: not all of it is kept, and a part would be a different request.
 *
 * @param url where clients reach the proxy
 */
export function curlCommand(entry: Entry, url: string): string | null {
  const body = bodyFor(entry);
  if (body === 'incomplete') return null;
  const { pipe, words } = content(body);
  return [...pipe, ...requestWords(entry, url, body), ...words].join(' ');
}

/** The same with the body in a file, which the API serves. Null: it has none, or not all of it is kept. */
export function curlWithFile(entry: Entry, url: string): CurlFile | null {
  const body = bodyFor(entry);
  if (body === 'incomplete' || body === null) return null;
  const name = bodyFileName(entry, 'request');
  const words = [...requestWords(entry, url, body), '--data-binary', `@${name}`];
  return { command: words.join(' '), name };
}

export function bodyFileName({ number }: Entry, side: 'request' | 'response'): string {
  return `${side}-body-${number}`;
}

function bodyFor(entry: Entry): ReadableBody | null | 'incomplete' {
  const { method, requestFields } = entry.begun;
  if (method === '-' || bodyObstacle(entry) !== null) return 'incomplete';
  const body = readableBody(entry.record?.notes?.requestBody ?? null, requestFields);
  return body?.isWhole === false ? 'incomplete' : body;
}

function requestWords({ begun }: Entry, url: string, body: ReadableBody | null): string[] {
  const { method, requestFields } = begun;
  const socket = url.startsWith('unix:') ? ['--unix-socket', shellWord(url.slice('unix:'.length))] : [];
  const base = socket.length > 0 ? 'http://localhost' : url;
  const { target } = originForm(begun.url, method);
  return [
    'curl',
    ...methodWords(method, body !== null),
    ...socket,
    '--globoff',
    '--path-as-is',
    ...urlWords(base, redactUrl(target)),
    ...fieldWords(requestFields, body),
  ];
}

function methodWords(method: string, hasBody: boolean): string[] {
  if (method === 'HEAD') return ['--head'];
  return method === 'GET' && !hasBody ? [] : ['-X', shellWord(method)];
}

/** A target that is not a path, as in `OPTIONS *`, cannot be part of a URL. */
function urlWords(base: string, target: string): string[] {
  const word = shellWord(wire(target.startsWith('/') ? `${base}${target}` : base));
  return target.startsWith('/') ? [word] : ['--request-target', shellWord(wire(target)), word];
}

function fieldWords(requestFields: readonly string[], body: ReadableBody | null): string[] {
  const own = body?.isDecoded === true ? [...OWN, 'content-encoding'] : OWN;
  const fields = redactFields(withoutFields(requestFields, new Set(own)));
  const words = fields.flatMap((name, at) =>
    at % 2 === 0 ? ['-H', shellWord(wire(header(name, fields[at + 1] ?? '')))] : [],
  );
  // Otherwise curl declares it a form.
  const untyped = body !== null && fieldValue(requestFields, 'content-type') === undefined;
  return untyped ? [...words, '-H', 'Content-Type:'] : words;
}

/** curl omits a field with nothing after its colon (curl's manual, --header). */
function header(name: string, value: string): string {
  return value === '' ? `${name};` : `${name}: ${value}`;
}

/** `--data-raw`, because `--data-binary` takes a body that begins with `@` as the name of a file to send. */
function content(body: ReadableBody | null): { readonly pipe: string[]; readonly words: string[] } {
  if (body === null) return { pipe: [], words: [] };
  const { bytes, isText } = body;
  if (isText && bytes.length <= MAX_WORD_BYTES && !bytes.includes(0)) {
    return { pipe: [], words: ['--data-raw', shellWord(bytes)] };
  }
  return { pipe: [bodyWriter(bytes), '|'], words: ['--data-binary', '@-'] };
}

/** Fields and targets have one byte per character. */
function wire(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
