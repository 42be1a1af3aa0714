/** The request of an exchange as a command for a shell, without its secrets. */

import { withoutFields } from '../../http/fields.ts';
import { originForm } from '../../http/request-check.ts';
import { redactFields, redactUrl } from '../redact.ts';
import { bodyView } from './body.ts';
import type { Entry } from './ring.ts';

/** curl writes these itself. */
const OWN: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'expect',
]);

/** @param url where clients reach the proxy */
export function curlCommand({ begun, record }: Entry, url: string): string {
  const { method, requestFields } = begun;
  const socket = url.startsWith('unix:') ? ['--unix-socket', shellWord(url.slice('unix:'.length))] : [];
  const base = socket.length > 0 ? 'http://localhost' : url;
  const target = redactUrl(originForm(begun.url, method).target);
  const fields = redactFields(withoutFields(requestFields, OWN));
  const body = bodyView(record?.notes?.requestBody ?? null, requestFields);
  const content =
    body === null ? [] : ['--data-binary', shellWord(body.encoding === 'text' ? body.content : '@body')];
  return [
    'curl',
    ...methodWords(method, body !== null),
    ...socket,
    '--globoff',
    '--path-as-is',
    shellWord(`${base}${target}`),
    ...fields.flatMap((name, at) =>
      at % 2 === 0 ? ['-H', shellWord(header(name, fields[at + 1] ?? ''))] : [],
    ),
    ...content,
  ].join(' ');
}

function methodWords(method: string, hasBody: boolean): string[] {
  if (method === 'HEAD') return ['--head'];
  return method === 'GET' && !hasBody ? [] : ['-X', shellWord(method)];
}

/** curl leaves a field out if there is nothing behind its colon (curl's manual, --header). */
function header(name: string, value: string): string {
  return value === '' ? `${name};` : `${name}: ${value}`;
}

function shellWord(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
