/** The request of an exchange as it is sent again: as it came, or as somebody has edited it, with what was redacted put back. */

import { withoutFields } from '../../http/fields.ts';
import { REDACTED, redactFields, redactUrl } from '../redact.ts';
import { readableBody } from './body.ts';
import type { Entry } from './ring.ts';
import type { FieldPair } from './types.ts';

/** What is left out stays as it was. */
export interface Edit {
  readonly method?: string;
  readonly path?: string;
  readonly fields?: readonly FieldPair[];
  /** Empty: no body. */
  readonly body?: string;
}

export interface ReplayWish {
  readonly confirm: boolean;
  readonly edit: Edit;
}

export interface ReplayRequest {
  readonly method: string;
  readonly url: string;
  readonly fields: readonly string[];
  readonly body: Buffer | null;
}

/** A sentence: what is wrong with it. */
export function readWish(text: string): ReplayWish | string {
  const wish = parsed(text);
  if (typeof wish !== 'object' || wish === null)
    return 'The body is a JSON object, such as {"confirm": true}.';
  const { confirm, edit = {} }: { readonly confirm?: unknown; readonly edit?: unknown } = wish;
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
/** RFC 9112 section 3.2.1, as far as it is read here: nothing that could end the line. */
const PATH = /^\/[\x21-\x7e]*$/;
/** RFC 9110 section 5.5: a byte a character. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

function readEdit(edit: unknown): Edit | string {
  if (typeof edit !== 'object' || edit === null) return '"edit" is an object.';
  const { method, path, fields, body }: Readonly<Partial<Record<keyof Edit, unknown>>> = edit;
  if (method !== undefined && !(isText(method, TOKEN) && method !== 'CONNECT'))
    return 'The method is one word, and not CONNECT.';
  if (path !== undefined && !isText(path, PATH))
    return 'The path begins with / and has neither spaces nor letters beyond ASCII: write them as %20.';
  if (fields !== undefined && !isFields(fields))
    return 'A field is a name without spaces, and a value in one line of Latin-1.';
  if (body !== undefined && typeof body !== 'string') return 'The body is text.';
  return {
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path }),
    ...(fields !== undefined && { fields }),
    ...(body !== undefined && { body }),
  };
}

function isText(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isFields(value: unknown): value is FieldPair[] {
  const isPair = (one: unknown): boolean =>
    Array.isArray(one) && one.length === 2 && isText(one[0], TOKEN) && isText(one[1], VALUE);
  return Array.isArray(value) && value.every(isPair);
}

/** A sentence: why it cannot be sent. */
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

/** What was left as it is shown gets its secret back. A sentence: what still has none. */
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
  /** Whether it is what was under the Content-Encoding. */
  readonly isDecoded: boolean;
}

/** Null: it holds a secret that is not there. */
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

/** The same of all but its body. */
function requestObstacle({ begun, record }: Entry): string | null {
  if (record === null) return 'It is still under way: wait for its end.';
  if (begun.method === '-') return 'It never was a request: what came could not be parsed.';
  if (record.outcome === 'upgraded')
    return 'It was an upgrade: both sides of its conversation would be needed.';
  return record.notes === null ? 'Nothing of it was kept: the inspector was not watching yet.' : null;
}

/** Why its body is not there to be sent again, as a whole; null: it is, or there was none. */
export function bodyObstacle({ begun, record }: Entry): string | null {
  const framed = begun.requestFields.some(
    (name, at) => at % 2 === 0 && /^(content-length|transfer-encoding)$/i.test(name),
  );
  if (!framed) return null;
  if (record === null) return 'It is still under way: wait for its end.';
  if (record.notes === null) return 'Nothing of it was kept: the inspector was not watching yet.';
  const { requestBody } = record.notes;
  if (requestBody === null && isEmpty(begun.requestFields)) return null;
  if (requestBody === null) {
    return 'Its body is not kept: it was passed on as it came, newer ones took its place, or too many came at once.';
  }
  if (requestBody.bytes !== requestBody.keptBytes || requestBody.bytes !== record.requestBodyBytes) {
    return `Only ${requestBody.keptBytes} bytes of its body are kept, and a part of a body is another request.`;
  }
  return null;
}

function isEmpty(fields: readonly string[]): boolean {
  return fields.some((name, at) => at % 2 === 0 && /^content-length$/i.test(name) && fields[at + 1] === '0');
}
