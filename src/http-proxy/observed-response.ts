/** Reads a response from Node's http client into a sink, and records the evidence of how it ended. */

import type { IncomingMessage } from 'node:http';
import type { Settings } from '../config/settings.ts';
import type { Framing } from '../http/framing.ts';
import { responseFraming } from '../http/framing.ts';
import { serializeFields } from '../http/forwarding.ts';
import { parseResponseHead } from '../http/response-head.ts';
import type { HeadResult, ResponseHead } from '../http/response-head.ts';
import type { BodySink } from '../spool/spooled-body.ts';
import type { Accept } from '../upstream/attempt.ts';
import type { AttemptTimings } from '../upstream/timings.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import { CLIENT_GONE, evidenceOf, headTooLarge, MESSAGE_END, notHttp } from '../upstream/evidence.ts';
import { FIN, resetBy, sinkFault, UNASKED_SWITCH } from '../upstream/evidence.ts';
import type { Ending, Evidence, ParseFault } from '../upstream/evidence.ts';

export interface ObservationOptions {
  readonly method: string;
  readonly connection: UpstreamConnection;
  readonly settings: Pick<Settings, 'firstByteTimeoutMs' | 'bodyIdleTimeoutMs' | 'maxHeaderBytes'>;
  /** Whether the upstream is still waiting for the request. */
  readonly awaitsClient: () => boolean;
  /** An interim response (1xx) arrived. */
  readonly interim: (head: ResponseHead) => void;
  readonly accept: Accept;
  /** Null: nobody watches. */
  readonly notes: AttemptTimings | null;
}

export class ResponseObservation {
  /** Resolves when the response is over or cannot continue. Never rejects. */
  readonly evidence: Promise<Evidence>;
  /** Called when the upstream switches protocols: then there is no evidence. Null: the request does not ask for it. */
  takeSwitch: (() => void) | null = null;
  readonly #options: ObservationOptions;
  #settle: (evidence: Evidence) => void = () => undefined;
  #head: ResponseHead | null = null;
  #framing: Framing | null = null;
  #streams = true;
  #incoming: IncomingMessage | null = null;
  #isOver = false;
  #interimBytes = 0;
  #bodyBytes = 0;

  constructor(options: ObservationOptions) {
    this.#options = options;
    this.evidence = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { connection, settings, awaitsClient } = options;
    connection.socket.on('timeout', () => {
      if (this.#head === null && awaitsClient()) connection.socket.setTimeout(settings.firstByteTimeoutMs);
      else this.#stop({ kind: 'timeout', waitedFor: this.#head === null ? 'first-byte' : 'body-idle' });
    });
    connection.socket.setTimeout(settings.firstByteTimeoutMs);
  }

  /** There is no reason to continue: the client has left, or its request is invalid. */
  readonly abandon = (): void => this.#stop(CLIENT_GONE);

  /** The request failed, before a response or in the middle of it. */
  failed(error: NodeJS.ErrnoException): void {
    // The response is complete; bytes after it, or a reset, do not belong to it. Its `end` event is still to come.
    if (this.#isOver || this.#incoming?.complete === true) return;
    const code = error.code ?? null;
    if (code === 'HPE_HEADER_OVERFLOW') this.#stopAtHeadLimit();
    else if (code?.startsWith('HPE_') === true) this.#over(notHttp(this.#parserFault(code), error.message));
    // "socket hang up" is Node's message for a connection that ended without a response.
    else this.#over(this.#options.connection.endedBy === 'fin' ? FIN : resetBy(code));
  }

  /** An interim response; malformed ones are ignored. All together may be as large as one head. */
  informed(interim: NodeHead): void {
    if (this.#isOver) return;
    const text = headText(interim);
    this.#interimBytes += text.length;
    if (this.#interimBytes > this.#options.settings.maxHeaderBytes) return this.#stopAtHeadLimit();
    const read = parsed(text);
    if (read.kind === 'head') this.#options.interim(read.head);
  }

  /** The upstream switched protocols. True: the request asked for it, and http-proxy is to join both sockets now. */
  switched(): boolean {
    // Node continues with the packet that it has, even if the connection is destroyed.
    if (this.#isOver) return false;
    if (this.takeSwitch === null) this.#stop(UNASKED_SWITCH);
    else {
      this.#isOver = true;
      this.takeSwitch();
    }
    return this.takeSwitch !== null;
  }

  responded(incoming: IncomingMessage): void {
    const { method, settings, accept, notes } = this.#options;
    if (this.#isOver) return;
    // To Node's parser, a 101 without both of its fields is a final response.
    if (incoming.statusCode === 101)
      return this.#stop(notHttp('head', 'it switches protocols, and does not say to which'));
    const read = parsed(headText(incoming));
    if (read.kind === 'malformed') return this.#stop(notHttp('head', read.why));
    this.#head = read.head;
    const result = responseFraming(method, read.head);
    if (result.kind === 'malformed')
      return this.#stop(notHttp(result.coding ? 'coding' : 'length', result.why));
    this.#framing = result.framing;
    const { sink: place, streams } = accept(read.head, result.framing);
    const sink = notes?.keeping(place) ?? place;
    this.#streams = streams;
    if (this.#isFull(sink)) return;
    this.#incoming = incoming;
    this.#limitIdleTime(settings.bodyIdleTimeoutMs);
    incoming.on('data', (bytes: Buffer) => this.#take(incoming, bytes, sink));
    incoming.on('end', () => this.#ended(incoming));
    incoming.on('error', (error) => this.failed(error));
    incoming.on('close', () => this.#ended(incoming));
  }

  #take(incoming: IncomingMessage, bytes: Buffer, sink: BodySink): void {
    this.#bodyBytes += bytes.length;
    sink.append(bytes);
    if (this.#isFull(sink) || !sink.congested) return;
    incoming.pause();
    // While nothing is read, the delay is not the upstream's.
    this.#limitIdleTime(0);
    sink.whenDrained(() => {
      if (this.#isFull(sink)) return;
      this.#limitIdleTime(this.#options.settings.bodyIdleTimeoutMs);
      incoming.resume();
    });
  }

  #isFull({ fault }: BodySink): boolean {
    if (fault !== null) this.#stop(sinkFault(fault));
    return fault !== null;
  }

  #limitIdleTime(ms: number): void {
    this.#options.connection.socket.setTimeout(this.#streams ? 0 : ms);
  }

  /** Node reports a clean end for a body that is read until close, even when the connection was reset. */
  #ended(incoming: IncomingMessage): void {
    const { endedBy, end } = this.#options.connection;
    if (this.#framing?.kind === 'close') this.#over(endedBy === 'rst' ? end : FIN);
    else this.#over(incoming.complete ? MESSAGE_END : end);
  }

  #stopAtHeadLimit(): void {
    this.#stop(headTooLarge(this.#options.settings.maxHeaderBytes));
  }

  /** Which part of the response Node's parser (llhttp) could not read. */
  #parserFault(code: string): ParseFault {
    return PARSER_FAULTS.get(code) ?? (this.#framing === null ? 'head' : 'body');
  }

  #stop(ending: Ending): void {
    this.#over(ending);
    this.#options.connection.destroy();
  }

  #over(ending: Ending): void {
    this.#isOver = true;
    this.#options.connection.socket.setTimeout(0);
    const seen = {
      head: this.#head,
      framing: this.#framing,
      streamed: this.#streams,
      // Node does not report it. Any number above 0 says that there was a head.
      headBytes: this.#head === null ? 0 : 1,
      interimBytes: this.#interimBytes,
      bodyBytes: this.#bodyBytes,
    };
    this.#settle(evidenceOf(ending, seen));
  }
}

/** For other codes, how much of the response was read decides. */
const PARSER_FAULTS: ReadonlyMap<string, ParseFault> = new Map([
  ['HPE_INVALID_CONSTANT', 'not-http'],
  ['HPE_STRICT', 'chunk-end'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'chunk-extension'],
]);

/** A head, as Node reports it. */
interface NodeHead {
  readonly httpVersion: string;
  readonly statusCode?: number | undefined;
  readonly statusMessage?: string | undefined;
  readonly rawHeaders: readonly string[];
}

/**
 * A head that Node's parser has read, as text for our own parser. Node accepts control characters in the reason phrase and a
 * status below 100, but throws when it must write them; see test/facts/http-parser.test.ts.
 */
function headText({ httpVersion, statusCode = 0, statusMessage = '', rawHeaders }: NodeHead): string {
  const line = `HTTP/${httpVersion} ${String(statusCode).padStart(3, '0')} ${statusMessage}`;
  return `${line}\r\n${serializeFields(rawHeaders)}\r\n`;
}

function parsed(head: string): HeadResult {
  const bytes = Buffer.from(head, 'latin1');
  return parseResponseHead(bytes, 0, bytes.length);
}
