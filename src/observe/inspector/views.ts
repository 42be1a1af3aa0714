/** One exchange as the API shows it: as a row of the list, and in full. */

import type { Settings } from '../../config/settings.ts';
import { targetUrl } from '../../config/target.ts';
import type { AttemptRecord, ExchangeClosed, ExchangeRecord } from '../../exchange/events.ts';
import { explain } from '../../exchange/explain.ts';
import type { Explanation } from '../../exchange/explain.ts';
import { endingDetail } from '../../upstream/evidence.ts';
import type { Ending } from '../../upstream/evidence.ts';
import { keepsAlive } from '../../http/framing.ts';
import { isSafe } from '../../http/request.ts';
import { redactFields, redactUrl } from '../redact.ts';
import { savedBy, severityOf } from '../severity.ts';
import { bodyView, mediaType } from './body.ts';
import { curlCommand, curlWithFile, replayObstacle } from './repeat.ts';
import type { Entry } from './ring.ts';
import type { AttemptView, Body, FieldPair, FullView, ResponseView, Row, Timeline } from './types.ts';

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

/** @param url where clients reach the proxy */
export function fullView(entry: Entry, settings: Settings, url: string): FullView {
  const { begun, record } = entry;
  const attempts = record?.attempts ?? [];
  const explained = attempts.map((_, at) => explanationOf(attempts, at, record, settings));
  const isSavedByWaiting = record !== null && savedBy(record) === 'waited';
  const obstacle = replayObstacle(entry);
  const views = attempts.map((attempt, at) => attemptView(attempt, explained[at] ?? null));
  return {
    ...rowOf(entry),
    target: targetUrl(settings.target),
    // After a successful wait for a restart, there is nothing to fix.
    cure: isSavedByWaiting ? null : (explained.findLast((one) => one !== null)?.remedy ?? null),
    curl: curlCommand(entry, url),
    curl_file: curlWithFile(entry, url),
    replay: { possible: obstacle === null, confirm: !isSafe(begun.method), why_not: obstacle },
    timeline: timelineOf(entry),
    attempts: views,
    request: {
      fields: pairs(begun.requestFields),
      body: bodyView(record?.notes?.requestBody ?? null, begun.requestFields),
    },
    response: record === null ? null : responseSent(record, views.at(-1)?.response?.body ?? null),
  };
}

/** Null: there is nothing to fix. */
function explanationOf(
  attempts: readonly AttemptRecord[],
  at: number,
  record: ExchangeRecord | null,
  settings: Settings,
): Explanation | null {
  const attempt = attempts[at];
  if (attempt === undefined) return null;
  const { verdict, evidence } = attempt;
  if (verdict === 'complete' || verdict === 'unverifiable' || verdict === 'abandoned') return null;
  const target = targetUrl(settings.target);
  const triedAgain = at + 1 < attempts.length;
  const waitedMs = record?.waitedMs ?? 0;
  return explain({ verdict, evidence, attempts: at + 1, triedAgain, target, waitedMs, settings });
}

function timelineOf({ record, closed }: Entry): Timeline {
  const notes = record?.notes ?? null;
  return {
    request_whole_ms: rounded(notes?.requestWholeMs),
    waits: (notes?.waits ?? []).map(({ startMs, endMs }) => ({
      start_ms: roundedMs(startMs),
      end_ms: roundedMs(endMs),
    })),
    delivery_ms: rounded(notes?.deliveryMs),
    written_ms: rounded(notes?.writtenMs),
    done_ms: rounded(record?.durationMs),
    client_fin_ms: rounded(closed?.clientFinMs),
    our_fin_ms: rounded(closed?.ourFinMs),
    closed_ms: rounded(closed?.closedMs),
    closed_by: closedBy(closed),
    connection: notes?.keptAlive === true ? 'kept' : 'closes',
  };
}

function closedBy(closed: ExchangeClosed | null): 'fin' | 'rst' | null {
  if (closed === null) return null;
  return closed.reset ? 'rst' : 'fin';
}

function attemptView(attempt: AttemptRecord, explanation: Explanation | null): AttemptView {
  const { evidence, notes, reason, startedMs, endedMs, verdict } = attempt;
  const { head, framing } = evidence;
  return {
    reason,
    start_ms: roundedMs(startedMs),
    end_ms: roundedMs(endedMs),
    reused: evidence.reusedConnection,
    connected_ms: rounded(notes?.connectedMs),
    head_sent_ms: rounded(notes?.headSentMs),
    request_body: evidence.requestBody,
    expectation: evidence.expectation,
    body_start_ms: rounded(notes?.bodyStartMs),
    body_sent_ms: rounded(notes?.bodySentMs),
    first_byte_ms: rounded(notes?.firstByteMs),
    head_ms: rounded(notes?.headMs),
    last_byte_ms: rounded(notes?.lastByteMs),
    ...endingView(evidence.ending),
    verdict,
    framing: framing?.kind ?? null,
    expected: framing?.kind === 'length' ? framing.length : null,
    received: evidence.bodyBytes,
    surplus: evidence.surplusBytes,
    trailers: evidence.trailerFields,
    keeps_alive: head === null || framing === null ? null : keepsAlive(head, framing),
    why: explanation?.sentence ?? null,
    cure: explanation?.remedy ?? null,
    response: receivedResponse(attempt),
  };
}

function endingView(ending: Ending): Pick<AttemptView, 'ending' | 'timeout' | 'error_code' | 'detail'> {
  return {
    ending: ending.kind,
    timeout: timeoutOf(ending),
    error_code: 'errorCode' in ending ? ending.errorCode : null,
    detail: endingDetail(ending),
  };
}

function timeoutOf(ending: Ending): AttemptView['timeout'] {
  if (ending.kind === 'timeout') return ending.waitedFor;
  return ending.kind === 'connect-failed' && ending.timedOut ? 'connect' : null;
}

function receivedResponse({ evidence: { head }, notes }: AttemptRecord): ResponseView | null {
  if (head === null) return null;
  const { minor, status, reason, fields } = head;
  const body = bodyView(notes?.body ?? null, fields);
  return { version: minor === 0 ? '1.0' : '1.1', status, reason, fields: pairs(fields), body };
}

/** What the client was sent: one of our own responses, or the upstream's last one, whose body is decoded already. */
function responseSent(
  { status, notes, outcome }: ExchangeRecord,
  upstreams: Body | null,
): ResponseView | null {
  if (status === 0) return null;
  const fields = notes?.responseFields ?? [];
  const body = outcome === 'refused' ? bodyView(notes?.answerBody ?? null, fields) : upstreams;
  return { version: '1.1', status, reason: notes?.responseReason ?? '', fields: pairs(fields), body };
}

function pairs(fields: readonly string[]): FieldPair[] {
  const redacted = redactFields(fields);
  return redacted.flatMap((name, at): FieldPair[] => (at % 2 === 0 ? [[name, redacted[at + 1] ?? '']] : []));
}

function rounded(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : roundedMs(ms);
}

function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
