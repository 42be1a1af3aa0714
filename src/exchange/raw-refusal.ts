/** Answers as bytes, for a connection that has no response object: what never became a request, and upgrades. */

import { STATUS_CODES } from 'node:http';
import type { ProxyError } from '../errors.ts';
import { serializeFields } from '../http/forwarding.ts';
import { renderProblem } from '../http/problem.ts';
import type { Answer } from './deliver.ts';
import type { RefusalFacts } from './refuse.ts';

export function rawRefusal(error: ProxyError, facts: RefusalFacts, instance: string): Buffer {
  const { fields, body } = renderProblem({ error, html: false, instance, ...facts });
  const head = rawAnswerHead({ status: error.status, reason: '', fields });
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** Status line and fields, latin1; the connection closes behind it. */
export function rawAnswerHead(answer: Pick<Answer, 'status' | 'reason' | 'fields'>): string {
  const { status, reason, fields } = answer;
  const fieldLines = serializeFields([...fields, 'Connection', 'close']);
  return `HTTP/1.1 ${status} ${reason === '' ? (STATUS_CODES[status] ?? '') : reason}\r\n${fieldLines}\r\n`;
}
