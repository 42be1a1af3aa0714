/** The table of metrics: what is exposed, and docs/metrics.md, come from it. */

import { ERROR_CODES } from '../errors.ts';
import { ENDINGS, OUTCOMES, REASONS, REQUEST_BODIES, SAVED_BY, VERDICTS } from './severity.ts';

interface Row {
  readonly name: string;
  readonly help: string;
}

/** Labels have fixed sets of values, so that no request can create a new series. */
export interface CounterRow extends Row {
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

export interface HistogramRow extends Row {
  readonly buckets: readonly number[];
}

/** Read when it is scraped. */
export interface ReadingRow extends Row {
  /** Whether it only increases: a counter. */
  readonly rises: boolean;
}

const CLASSES: readonly string[] = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'];
const SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
];

type CounterName =
  | 'exchanges'
  | 'responses'
  | 'refusals'
  | 'saved'
  | 'attempts'
  | 'endings'
  | 'requestBytes'
  | 'responseBytes'
  | 'upstreamBytes'
  | 'surplusBytes'
  | 'adminErrors';

export const COUNTERS: Readonly<Record<CounterName, CounterRow>> = {
  exchanges: {
    name: 'lastbyte_exchanges_total',
    help: 'Finished exchanges, by their outcome for the client.',
    labels: { outcome: OUTCOMES },
  },
  responses: {
    name: 'lastbyte_responses_total',
    help: 'Responses sent to clients, by status class; none: the client left first.',
    labels: { class: CLASSES },
  },
  refusals: {
    name: 'lastbyte_refusals_total',
    help: 'Exchanges that were refused or cut, by error code (docs/failure-modes.md explains each).',
    labels: { error: ERROR_CODES },
  },
  saved: {
    name: 'lastbyte_saved_total',
    help: 'Exchanges delivered complete thanks to a retry, a wait, or a withheld request body.',
    labels: { by: SAVED_BY },
  },
  attempts: {
    name: 'lastbyte_attempts_total',
    help: 'Requests to the upstream, by reason and by the verdict on the response.',
    labels: { reason: REASONS, verdict: VERDICTS },
  },
  endings: {
    name: 'lastbyte_upstream_endings_total',
    help: 'How the upstream ended its responses, by how much of the request body had been sent.',
    labels: { ending: ENDINGS, request_body: REQUEST_BODIES },
  },
  requestBytes: {
    name: 'lastbyte_request_body_bytes_total',
    help: 'Request body bytes received from clients.',
    labels: {},
  },
  responseBytes: {
    name: 'lastbyte_response_body_bytes_total',
    help: 'Response body bytes sent to clients.',
    labels: {},
  },
  upstreamBytes: {
    name: 'lastbyte_upstream_body_bytes_total',
    help: 'Response body bytes received from the upstream, including failed attempts.',
    labels: {},
  },
  surplusBytes: {
    name: 'lastbyte_upstream_surplus_bytes_total',
    help: 'Bytes that the upstream sent after the end of a response; they are discarded.',
    labels: {},
  },
  adminErrors: {
    name: 'lastbyte_admin_errors_total',
    help: 'Internal errors of the admin listener and the inspector. Each is logged; traffic is not affected. Please report them.',
    labels: {},
  },
};

type HistogramName = 'duration' | 'firstByte' | 'wait';

export const HISTOGRAMS: Readonly<Record<HistogramName, HistogramRow>> = {
  duration: {
    name: 'lastbyte_exchange_duration_seconds',
    help: 'Time from the request head to the last byte of the response, including waits and retries.',
    buckets: SECONDS,
  },
  firstByte: {
    name: 'lastbyte_upstream_first_byte_seconds',
    help: "Time from an attempt's request head to the first byte of its response; sampled above 100 exchanges per second.",
    buckets: SECONDS,
  },
  wait: {
    name: 'lastbyte_wait_seconds',
    help: 'Time that requests waited for an upstream that refused connections; requests that did not wait are not counted.',
    buckets: SECONDS,
  },
};

export type ReadingName =
  | 'running'
  | 'connections'
  | 'lingering'
  | 'waiting'
  | 'spoolMemory'
  | 'spoolMemoryLimit'
  | 'spoolDisk'
  | 'spoolDiskLimit'
  | 'startTime'
  | 'cpu'
  | 'loop'
  | 'residentMemory'
  | 'heapUsed'
  | 'external';

export const READINGS: Readonly<Record<ReadingName, ReadingRow>> = {
  running: { name: 'lastbyte_exchanges_in_flight', help: 'Exchanges in progress.', rises: false },
  connections: {
    name: 'lastbyte_client_connections',
    help: 'Open client connections.',
    rises: false,
  },
  lingering: {
    name: 'lastbyte_client_connections_lingering',
    help: 'Client connections whose last response has been sent and that are waiting to close.',
    rises: false,
  },
  waiting: {
    name: 'lastbyte_requests_waiting',
    help: 'Requests waiting for an upstream that refuses connections.',
    rises: false,
  },
  spoolMemory: { name: 'lastbyte_spool_memory_bytes', help: 'Memory used by buffered bodies.', rises: false },
  spoolMemoryLimit: {
    name: 'lastbyte_spool_memory_limit_bytes',
    help: 'The limit set by --memory-total.',
    rises: false,
  },
  spoolDisk: { name: 'lastbyte_spool_disk_bytes', help: 'Disk space used by buffered bodies.', rises: false },
  spoolDiskLimit: {
    name: 'lastbyte_spool_disk_limit_bytes',
    help: 'The limit set by --disk-total.',
    rises: false,
  },
  startTime: {
    name: 'lastbyte_process_start_time_seconds',
    help: 'Start time of the process, in seconds since the epoch.',
    rises: false,
  },
  cpu: {
    name: 'lastbyte_process_cpu_seconds_total',
    help: 'User and system CPU time of the process.',
    rises: true,
  },
  loop: {
    name: 'lastbyte_process_event_loop_active_seconds_total',
    help: 'Time the event loop was busy; its rate is the load, at most 1.',
    rises: true,
  },
  residentMemory: {
    name: 'lastbyte_process_resident_memory_bytes',
    help: 'Resident memory of the process.',
    rises: false,
  },
  heapUsed: { name: 'lastbyte_process_heap_used_bytes', help: 'JavaScript heap in use.', rises: false },
  external: {
    name: 'lastbyte_process_external_memory_bytes',
    help: 'Memory held outside the JavaScript heap, such as bodies.',
    rises: false,
  },
};

/** Its label has the version. */
export const BUILD: Row = { name: 'lastbyte_build_info', help: 'Always 1; the version is its label.' };
