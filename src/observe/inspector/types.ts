/** The JSON of the admin listener's API; docs/api.md is its contract. */

import type { ErrorCode } from '../../errors.ts';
import type { AttemptRecord, Outcome } from '../../exchange/events.ts';
import type { EndingKind, Expectation, RequestBodySent } from '../../upstream/evidence.ts';
import type { VerdictKind } from '../../upstream/verdict.ts';
import type { Severity } from '../severity.ts';

/** A header field, in the order of the wire. */
export type FieldPair = readonly [name: string, value: string];

/** One exchange in the list. */
export interface Row {
  readonly id: string;
  /** Numbers the requests in the order of their arrival: the cursor for paging. */
  readonly number: number;
  /** Increases with every change of any exchange. */
  readonly revision: number;
  readonly state: 'running' | 'done';
  readonly started_at: string;
  readonly ms: number | null;
  readonly client: string;
  readonly method: string;
  readonly path: string;
  readonly http: string;
  readonly status: number | null;
  readonly request_bytes: number;
  readonly bytes: number;
  readonly type: string | null;
  readonly tries: number;
  readonly waited_ms: number;
  readonly verdict: VerdictKind | null;
  readonly outcome: Outcome | null;
  readonly error: ErrorCode | null;
  readonly severity: Severity | 'running';
  readonly why: string | null;
  readonly replay_of: string | null;
}

/** The first bytes of a body, secrets redacted. */
export interface Body {
  /** The size of the body. */
  readonly bytes: number;
  /** How many bytes are kept. */
  readonly kept: number;
  readonly whole: boolean;
  readonly encoding: 'text' | 'base64';
  readonly content: string;
}

export interface AttemptView {
  readonly reason: AttemptRecord['reason'];
  readonly start_ms: number;
  readonly end_ms: number;
  readonly reused: boolean;
  readonly connected_ms: number | null;
  readonly head_sent_ms: number | null;
  readonly request_body: RequestBodySent;
  readonly expectation: Expectation;
  readonly body_start_ms: number | null;
  readonly body_sent_ms: number | null;
  readonly first_byte_ms: number | null;
  readonly head_ms: number | null;
  readonly last_byte_ms: number | null;
  readonly ending: EndingKind;
  readonly timeout: 'connect' | 'first-byte' | 'body-idle' | null;
  readonly error_code: string | null;
  readonly detail: string | null;
  readonly verdict: VerdictKind;
  readonly framing: 'none' | 'length' | 'chunked' | 'close' | null;
  readonly expected: number | null;
  readonly received: number;
  readonly surplus: number;
  readonly trailers: number;
  readonly keeps_alive: boolean | null;
  readonly why: string | null;
  readonly cure: string | null;
  readonly response: ResponseView | null;
}

export interface ResponseView {
  readonly version: '1.0' | '1.1';
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly FieldPair[];
  readonly body: Body | null;
}

/** How the client's connection ended. */
export interface ClosingView {
  readonly client_fin_ms: number | null;
  readonly our_fin_ms: number | null;
  readonly closed_ms: number | null;
  readonly closed_by: 'fin' | 'rst' | null;
  readonly connection: 'closes' | 'kept';
}

export interface Timeline extends ClosingView {
  readonly request_whole_ms: number | null;
  readonly waits: readonly { readonly start_ms: number; readonly end_ms: number }[];
  readonly delivery_ms: number | null;
  readonly written_ms: number | null;
  readonly done_ms: number | null;
}

/** A command that reads the request body from a file with this name. */
export interface CurlFile {
  readonly command: string;
  readonly name: string;
}

export interface FullView extends Row {
  readonly target: string;
  readonly cure: string | null;
  /** Null: the request is not kept in full. */
  readonly curl: string | null;
  /** Null: it has no body, or that is not kept in full. */
  readonly curl_file: CurlFile | null;
  readonly replay: {
    readonly possible: boolean;
    readonly confirm: boolean;
    readonly why_not: string | null;
  };
  readonly timeline: Timeline;
  readonly attempts: readonly AttemptView[];
  readonly request: { readonly fields: readonly FieldPair[]; readonly body: Body | null };
  readonly response: ResponseView | null;
}

export interface Page {
  readonly exchanges: readonly Row[];
  /** The `before` of the next page. */
  readonly next: number | null;
  readonly revision: number;
}

/** What the proxy has and does at this moment. */
export interface NowView {
  readonly connections: number;
  readonly lingering: number;
  readonly waiting: number;
  readonly spool_memory_bytes: number;
  readonly spool_disk_bytes: number;
}

export interface UpstreamProfile {
  readonly answers: number;
  readonly keeps_alive: number;
  readonly closes: number;
  readonly http_1_0: number;
  readonly cut: number;
  readonly resets: number;
  readonly resets_with_unread_body: number;
  readonly refused_connections: number;
  readonly sentences: readonly string[];
}

export interface SummaryView {
  readonly version: string;
  readonly started_at: string;
  readonly url: string;
  readonly target: string;
  /** The command that finds out how the upstream closes connections. */
  readonly diagnose: string;
  readonly exchanges: number;
  readonly running: number;
  /** Successful exchanges that came too fast to be listed. */
  readonly unlisted: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly saved: { readonly retried: number; readonly waited: number; readonly withheld: number };
  readonly cut_by_upstream: number;
  readonly request_bytes: number;
  readonly bytes: number;
  readonly now: NowView;
  readonly upstream: UpstreamProfile;
}
