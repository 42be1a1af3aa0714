/** The request of an exchange as a command for a shell, without its secrets. */

import { fieldValue, withoutFields } from '../../http/fields.ts';
import { originForm } from '../../http/request-check.ts';
import { redactFields, redactUrl } from '../redact.ts';
import { bodyWriter, shellWord } from '../terminal-text.ts';
import { readableBody } from './body.ts';
import type { ReadableBody } from './body.ts';
import { bodyObstacle } from './edit.ts';
import type { Entry } from './ring.ts';
import type { CurlFile } from './types.ts';

/** curl writes these itself. */
const OWN: readonly string[] = ['content-length', 'transfer-encoding', 'connection', 'keep-alive', 'expect'];

/** Linux takes no word above 128 KiB, and a line editor is slow long before. */
const MAX_WORD_BYTES = 64 * 1024;

/**
 * The whole request in one command. Null: not all of it is here, and a part of it is another request.
 *
 * @param url where clients reach the proxy
 */
export function curlCommand(entry: Entry, url: string): string | null {
  const body = bodyFor(entry);
  if (body === 'incomplete') return null;
  const { pipe, words } = content(body);
  return [...pipe, ...requestWords(entry, url, body), ...words].join(' ');
}

/** The same with the body in a file, which the API serves. Null: it has none, or not all of it is here. */
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

/** What is no path, as in `OPTIONS *`, cannot be a part of a URL. */
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
  // Else curl says that it is a form.
  const untyped = body !== null && fieldValue(requestFields, 'content-type') === undefined;
  return untyped ? [...words, '-H', 'Content-Type:'] : words;
}

/** curl leaves a field out if nothing follows its colon (curl's manual, --header). */
function header(name: string, value: string): string {
  return value === '' ? `${name};` : `${name}: ${value}`;
}

/** `--data-raw`, because after `--data-binary` a body that begins with `@` is the name of a file, which curl would send. */
function content(body: ReadableBody | null): { readonly pipe: string[]; readonly words: string[] } {
  if (body === null) return { pipe: [], words: [] };
  const { bytes, isText } = body;
  if (isText && bytes.length <= MAX_WORD_BYTES && !bytes.includes(0)) {
    return { pipe: [], words: ['--data-raw', shellWord(bytes)] };
  }
  return { pipe: [bodyWriter(bytes), '|'], words: ['--data-binary', '@-'] };
}

/** Fields and targets hold a byte a character. */
function wire(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
