/** Answers as bytes, for a connection that has no response object: what never became a request, and upgrades. */

import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ProxyError } from '../errors.ts';
import { fieldValue } from '../http/fields.ts';
import { serializeFields } from '../http/forwarding.ts';
import { renderProblem } from '../http/problem.ts';
import { written } from './deliver.ts';
import type { Answer } from './deliver.ts';
import type { RefusalFacts } from './refuse.ts';

/** Writes an answer. Resolves with whether all of it is with the kernel: lingering before that could cut it off. */
export async function deliverRaw(socket: Socket, answer: Answer): Promise<boolean> {
  if (!(await written(socket, Buffer.from(rawAnswerHead(answer), 'latin1')))) return false;
  for await (const part of answer.body?.parts() ?? []) {
    if (!(await written(socket, part))) return false;
  }
  return true;
}

export function rawRefusal(error: ProxyError, facts: RefusalFacts, instance: string): Buffer {
  const { fields, body } = renderProblem({ error, html: false, instance, ...facts });
  const head = rawAnswerHead({ status: error.status, reason: '', fields });
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** Status line and fields, latin1; the connection closes behind it. */
function rawAnswerHead(answer: Pick<Answer, 'status' | 'reason' | 'fields'>): string {
  const { status, reason, fields } = answer;
  // RFC 9110 section 6.6.1.
  const date = fieldValue(fields, 'date') === undefined ? ['Date', new Date().toUTCString()] : [];
  const fieldLines = serializeFields([...fields, ...date, 'Connection', 'close']);
  return `HTTP/1.1 ${status} ${reason === '' ? (STATUS_CODES[status] ?? '') : reason}\r\n${fieldLines}\r\n`;
}
