/** One exchange in a line, as the list and the feed have it. */

import type { ExchangeRecord } from '../../exchange/events.ts';
import { grade } from '../grade.ts';
import { redactUrl } from '../redact.ts';
import { mediaType } from './body.ts';
import type { Entry } from './ring.ts';
import type { Row } from './types.ts';

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
  grade: 'running',
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
    grade: grade(record),
    why: record.sentence,
  };
}

export function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
