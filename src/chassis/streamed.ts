/** A request on a path that the user exempted from buffering: passed on and relayed as it comes. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ProxyError } from '../errors.ts';
import { announcedLength, isFramed, refusalBeforehand } from '../exchange/check.ts';
import { connectionFields, deliver } from '../exchange/deliver.ts';
import { upstreamFailure } from '../exchange/upstream-failure.ts';
import { forwardInterim } from '../exchange/interim.ts';
import { Journal } from '../exchange/journal.ts';
import { reach } from '../exchange/reach.ts';
import { NO_FACTS, refusalAnswer } from '../exchange/refuse.ts';
import type { RefusalFacts } from '../exchange/refuse.ts';
import { Relay, whenClientLeaves } from '../exchange/relay.ts';
import { forwardedRequest } from '../exchange/request-head.ts';
import type { Services } from '../exchange/services.ts';
import type { Connecting, UpstreamConnection } from '../upstream/connection.ts';
import { judge } from '../upstream/verdict.ts';
import type { Chassis } from './chassis.ts';
import { observeResponse } from './observed-response.ts';
import type { ObservedResponse } from './observed-response.ts';

export interface StreamOptions {
  readonly chassis: Chassis;
  readonly services: Services;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly encrypted: boolean;
  /** Opens a connection that is read as a stream. */
  readonly connect: (timeoutMs: number) => Connecting;
}

/** Never rejects. */
export async function streamThrough(options: StreamOptions): Promise<void> {
  const { request, response, services } = options;
  const journal = new Journal(request);
  const closed = new Promise<boolean>((resolve) => {
    response.on('close', () => resolve(response.writableFinished));
  });
  const refuse = async (error: ProxyError, facts: RefusalFacts): Promise<void> => {
    journal.blame(error);
    journal.status = error.status;
    request.resume();
    if (error.source === 'client') response.shouldKeepAlive = false;
    const fields = connectionFields(response, services.settings.keepAliveTimeoutMs, services.closing);
    await deliver(response, refusalAnswer(response, error, facts, journal.id), fields);
    if (await closed) journal.outcome = 'refused';
  };
  try {
    const error = refusalBeforehand(request, services.via);
    if (error === null) await passOn(options, journal, closed, refuse);
    else await refuse(error, NO_FACTS);
  } catch {
    response.socket?.resetAndDestroy();
  } finally {
    services.record(journal.close());
  }
}

type Refuse = (error: ProxyError, facts: RefusalFacts) => Promise<void>;

async function passOn(
  options: StreamOptions,
  journal: Journal,
  closed: Promise<boolean>,
  refuse: Refuse,
): Promise<void> {
  const { services, response, connect } = options;
  const reached = await reach(services, connect, () => response.destroyed);
  journal.waitedMs = 'waitedMs' in reached ? reached.waitedMs : 0;
  if (reached.kind === 'waiting-room-full') return await refuse(reached.error, NO_FACTS);
  if (reached.kind === 'failed') {
    const { evidence } = reached;
    journal.attempts = [
      { startedMs: 0, endedMs: journal.clock(), verdict: 'no-response', evidence, reason: 'first' },
    ];
    const { error, facts } = upstreamFailure(journal.attempts, journal.waitedMs, services.settings);
    return await refuse(error, facts);
  }
  if (response.destroyed) return reached.connection.destroy();
  const startedMs = journal.clock();
  const { relay, observed } = await relayed(options, reached.connection);
  const { evidence } = observed;
  const verdict = judge(evidence);
  journal.attempts = [{ startedMs, endedMs: journal.clock(), verdict, evidence, reason: 'first' }];
  reached.connection.destroy();
  if (verdict === 'abandoned') return;
  const failure = upstreamFailure(journal.attempts, journal.waitedMs, services.settings);
  if (relay === null) return await refuse(failure.error, failure.facts);
  const whole = verdict === 'complete' || verdict === 'unverifiable';
  if (whole) relay.end();
  else relay.cut();
  journal.status = relay.status;
  const sent = await closed;
  journal.responseBytes = relay.bytes;
  if (whole) journal.outcome = sent ? 'relayed' : 'abandoned';
  else journal.outcome = 'cut';
  if (!whole) journal.blame(failure.error);
}

interface Relayed {
  /** Null: no response came. */
  readonly relay: Relay | null;
  readonly observed: ObservedResponse;
}

/** Resolves when the upstream's side is over, or the client has left. */
function relayed(options: StreamOptions, connection: UpstreamConnection): Promise<Relayed> {
  const { chassis, services, request, response, encrypted } = options;
  const { settings } = services;
  const trusted = services.trusts(request.socket.remoteAddress ?? '');
  const length = isFramed(request) ? announcedLength(request) : null;
  const context = { settings, via: services.via, trusted, encrypted };
  const { target, fields } = forwardedRequest(request, length, context);
  const coding = isFramed(request) && length === null ? ['Transfer-Encoding', 'chunked'] : [];
  return new Promise((resolve) => {
    let relay: Relay | null = null;
    const observer = observeResponse(request.method ?? '', connection, (observed) => {
      stopWatching();
      response.off('close', observer.abandon);
      resolve({ relay, observed });
    });
    response.on('close', observer.abandon);
    let stopWatching = (): void => undefined;
    chassis.stream(request, response, { target, fields: [...fields, ...coding] }, connection, {
      sending: (upstream) => {
        upstream.on('information', (interim) => {
          const { statusCode: status, statusMessage: reason, rawHeaders } = interim;
          forwardInterim(response, { minor: 1, status, reason, fields: rawHeaders });
        });
      },
      failed: (error) => observer.failed(error),
      responded: (incoming) => {
        observer.responded(incoming, (head, framing) => {
          relay = new Relay(
            response,
            head,
            framing,
            connectionFields(response, settings.keepAliveTimeoutMs, services.closing),
          );
          stopWatching = whenClientLeaves(response, observer.abandon);
          return relay;
        });
      },
    });
  });
}
