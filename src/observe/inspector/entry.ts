/** One exchange as the inspector keeps it: in a line, and whether its request can be sent again. */

import type { ExchangeBegun, ExchangeClosed, ExchangeRecord } from '../../exchange/events.ts';
import { isSafe } from '../../http/request.ts';
import { severityOf } from '../severity.ts';
import { redactUrl } from '../redact.ts';
import { mediaType } from './body.ts';
import type { Row } from './types.ts';

export interface Entry {
  readonly number: number;
  readonly begun: ExchangeBegun;
  readonly replayOf: string | null;
  revision: number;
  /** Null while it runs. */
  record: ExchangeRecord | null;
  closed: ExchangeClosed | null;
  /** Memory that the previews of its bodies take. */
  heldBytes: number;
  /** Memory that the rest of it takes, about. */
  recordBytes: number;
  row: Row | null;
}

export function rowOf({ number, revision, begun, replayOf, record }: Entry): Row {
  const common = {
    id: begun.id,
    number,
    revision,
    started_at: new Date(begun.startedAt).toISOString(),
    client: begun.clientAddress,
    method: begun.method,
    path: redactUrl(begun.url),
    http: begun.httpVersion,
    replay_of: replayOf,
  };
  return record === null ? { ...common, ...RUNNING } : { ...common, ...finished(record) };
}

type Progress = Omit<
  Row,
  'id' | 'number' | 'revision' | 'started_at' | 'client' | 'method' | 'path' | 'http' | 'replay_of'
>;

const RUNNING: Progress = {
  state: 'running',
  ms: null,
  status: null,
  request_bytes: 0,
  bytes: 0,
  type: null,
  tries: 0,
  waited_ms: 0,
  verdict: null,
  outcome: null,
  error: null,
  severity: 'running',
  why: null,
};

function finished(record: ExchangeRecord): Progress {
  const fields = record.notes?.responseFields ?? [];
  return {
    state: 'done',
    ms: roundedMs(record.durationMs),
    status: record.status === 0 ? null : record.status,
    request_bytes: record.requestBodyBytes,
    bytes: record.responseBytes,
    type: mediaType(fields),
    tries: record.attempts.length,
    waited_ms: roundedMs(record.waitedMs),
    verdict: record.verdict,
    outcome: record.outcome,
    error: record.error,
    severity: severityOf(record),
    why: record.sentence,
  };
}

export function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

export function isUnsafe(method: string): boolean {
  return !isSafe(method);
}

/** Why it cannot be sent again; null: it can. */
export function replayObstacle(entry: Entry): string | null {
  return requestObstacle(entry) ?? bodyObstacle(entry);
}

/** The same of all but its body. */
export function requestObstacle({ begun, record }: Entry): string | null {
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
