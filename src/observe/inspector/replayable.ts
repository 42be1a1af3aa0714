/** Whether the request of an exchange can be sent again: a pure decision. */

import { isSafe } from '../../http/idempotency.ts';
import type { Entry } from './ring.ts';

export function isUnsafe(method: string): boolean {
  return !isSafe(method);
}

/** Why it cannot be; null: it can. */
export function replayObstacle(entry: Entry): string | null {
  const { begun, record } = entry;
  if (record === null) return 'It is still under way: wait for its end.';
  if (begun.method === '-') return 'It never was a request: what came could not be parsed.';
  if (record.outcome === 'upgraded')
    return 'It was an upgrade: both sides of its conversation would be needed.';
  if (record.notes === null) return 'Nothing of it was kept: the inspector was not watching yet.';
  return bodyObstacle(entry);
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
