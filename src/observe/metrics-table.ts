/** The one table of metrics: what is registered, and what docs/metrics.md says, come from it. */

import { ERROR_CODES } from '../errors.ts';
import { ENDINGS, OUTCOMES, REASONS, REQUEST_BODIES, SAVED_BY, VERDICTS } from './severity.ts';

interface Row {
  readonly name: string;
  readonly help: string;
}

/** Labels take their values from closed sets, so that no request can make a series of its own. */
export interface CounterRow extends Row {
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

export interface HistogramRow extends Row {
  readonly buckets: readonly number[];
}

/** Read when it is scraped. */
export interface ReadingRow extends Row {
  /** It only grows: a counter. */
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
    help: 'Exchanges that are over, by how they ended for the client.',
    labels: { outcome: OUTCOMES },
  },
  responses: {
    name: 'lastbyte_responses_total',
    help: 'Answers that clients were sent, by the class of their status; none: the client left before.',
    labels: { class: CLASSES },
  },
  refusals: {
    name: 'lastbyte_refusals_total',
    help: 'Exchanges that were refused or cut, by the code that docs/failure-modes.md explains.',
    labels: { error: ERROR_CODES },
  },
  saved: {
    name: 'lastbyte_saved_total',
    help: 'Exchanges that were delivered whole after another try or a wait, or before their body was sent.',
    labels: { by: SAVED_BY },
  },
  attempts: {
    name: 'lastbyte_attempts_total',
    help: 'Times that the upstream was asked, by why, and by the verdict on what came back.',
    labels: { reason: REASONS, verdict: VERDICTS },
  },
  endings: {
    name: 'lastbyte_upstream_endings_total',
    help: 'How the upstream ended its responses, by how much of the request body it had been given.',
    labels: { ending: ENDINGS, request_body: REQUEST_BODIES },
  },
  requestBytes: {
    name: 'lastbyte_request_body_bytes_total',
    help: 'Bytes of request bodies that clients sent.',
    labels: {},
  },
  responseBytes: {
    name: 'lastbyte_response_body_bytes_total',
    help: 'Bytes of response bodies that clients were sent.',
    labels: {},
  },
  upstreamBytes: {
    name: 'lastbyte_upstream_body_bytes_total',
    help: 'Bytes of response bodies that the upstream sent, those of failed tries included.',
    labels: {},
  },
  surplusBytes: {
    name: 'lastbyte_upstream_surplus_bytes_total',
    help: 'Bytes that the upstream sent after the end of a response; they are thrown away.',
    labels: {},
  },
  adminErrors: {
    name: 'lastbyte_admin_errors_total',
    help: 'Errors of the admin listener and the inspector themselves, each in the log; traffic went on. Please report them.',
    labels: {},
  },
};

type HistogramName = 'duration' | 'firstByte' | 'wait';

export const HISTOGRAMS: Readonly<Record<HistogramName, HistogramRow>> = {
  duration: {
    name: 'lastbyte_exchange_duration_seconds',
    help: "From the request's head to the last byte of the response, waits and tries included.",
    buckets: SECONDS,
  },
  firstByte: {
    name: 'lastbyte_upstream_first_byte_seconds',
    help: "From a try's request head to the first byte of its response; of more than 100 exchanges a second, a sample.",
    buckets: SECONDS,
  },
  wait: {
    name: 'lastbyte_wait_seconds',
    help: 'How long requests waited for an upstream that took no connections; those that did not wait are not counted.',
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
  running: { name: 'lastbyte_exchanges_in_flight', help: 'Exchanges under way.', rises: false },
  connections: {
    name: 'lastbyte_client_connections',
    help: 'Connections of clients that are open.',
    rises: false,
  },
  lingering: {
    name: 'lastbyte_client_connections_lingering',
    help: 'Connections whose last response is out, and which wait for their end.',
    rises: false,
  },
  waiting: {
    name: 'lastbyte_requests_waiting',
    help: 'Requests that wait for an upstream that takes no connections.',
    rises: false,
  },
  spoolMemory: { name: 'lastbyte_spool_memory_bytes', help: 'Memory that bodies take.', rises: false },
  spoolMemoryLimit: {
    name: 'lastbyte_spool_memory_limit_bytes',
    help: 'What --memory-total allows.',
    rises: false,
  },
  spoolDisk: { name: 'lastbyte_spool_disk_bytes', help: 'Disk that bodies take.', rises: false },
  spoolDiskLimit: {
    name: 'lastbyte_spool_disk_limit_bytes',
    help: 'What --disk-total allows.',
    rises: false,
  },
  startTime: {
    name: 'lastbyte_process_start_time_seconds',
    help: 'When the process started, in seconds since the epoch.',
    rises: false,
  },
  cpu: {
    name: 'lastbyte_process_cpu_seconds_total',
    help: 'Processor time that the process took, in the program and in the kernel.',
    rises: true,
  },
  loop: {
    name: 'lastbyte_process_event_loop_active_seconds_total',
    help: 'Time in which the event loop was at work; its rate is its load, 1 at most.',
    rises: true,
  },
  residentMemory: {
    name: 'lastbyte_process_resident_memory_bytes',
    help: 'Memory of the process, as the kernel counts it.',
    rises: false,
  },
  heapUsed: { name: 'lastbyte_process_heap_used_bytes', help: "JavaScript's heap in use.", rises: false },
  external: {
    name: 'lastbyte_process_external_memory_bytes',
    help: "Memory outside JavaScript's heap that it holds, such as bodies.",
    rises: false,
  },
};

/** Carries the version in its label. */
export const BUILD: Row = { name: 'lastbyte_build_info', help: 'Always 1; the version is its label.' };
