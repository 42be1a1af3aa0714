/** An upgrade: passed on, and when the upstream switches protocols both sockets are joined, half-closes included. */

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Settings } from '../config/settings.ts';
import type { ProxyError } from '../errors.ts';
import { refusalBeforehand } from '../exchange/check.ts';
import { clientHead } from '../exchange/client-head.ts';
import { upstreamAnswer, written } from '../exchange/deliver.ts';
import { upstreamFailure } from '../exchange/upstream-failure.ts';
import { Journal } from '../exchange/journal.ts';
import { localHints } from '../exchange/local-client.ts';
import { rawAnswerHead, rawRefusal } from '../exchange/raw-refusal.ts';
import { reach } from '../exchange/reach.ts';
import { NO_FACTS } from '../exchange/refuse.ts';
import { reset } from '../exchange/reset.ts';
import type { RefusalFacts } from '../exchange/refuse.ts';
import { forwardedRequest } from '../exchange/request-head.ts';
import type { ForwardedRequest } from '../exchange/request-head.ts';
import type { Services } from '../exchange/services.ts';
import { shuttingDown } from '../exchange/shutting-down.ts';
import { offeredProtocols } from '../http/upgrade.ts';
import type { SpoolWriter } from '../spool/spool-writer.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { Evidence } from '../upstream/evidence.ts';
import { judge } from '../upstream/verdict.ts';
import type { VerdictKind } from '../upstream/verdict.ts';
import type { Chassis } from './chassis.ts';
import { observeResponse } from './observed-response.ts';

export interface UpgradeOptions {
  readonly chassis: Chassis;
  readonly services: Services;
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What the client sent behind the request's head. */
  readonly head: Buffer;
  readonly encrypted: boolean;
  /** Closes the client's socket when the last octet is written. */
  readonly linger: () => void;
  /** Aborted when the proxy ends: what waits is refused, joined sockets are broken off. */
  readonly stopping: AbortSignal;
}

/** Never rejects. */
export async function upgradeThrough(options: UpgradeOptions): Promise<void> {
  const { request, services, socket } = options;
  const journal = new Journal(request, services);
  try {
    const error = refusalBeforehand(request, services);
    if (error === null) await passOn(options, journal);
    else refuse(options, journal, error, NO_FACTS);
  } catch {
    reset(socket);
  } finally {
    services.record(journal.close());
  }
}

function refuse(options: UpgradeOptions, journal: Journal, error: ProxyError, facts: RefusalFacts): void {
  const { socket, linger } = options;
  journal.blame(error);
  journal.status = error.status;
  if (!socket.writable) return;
  journal.outcome = 'refused';
  socket.write(rawRefusal(error, facts, `urn:lastbyte:exchange:${journal.id}`));
  linger();
}

async function passOn(options: UpgradeOptions, journal: Journal): Promise<void> {
  const { services, socket, stopping } = options;
  const left = new AbortController();
  socket.once('close', () => left.abort());
  const reached = await reach(services, AbortSignal.any([left.signal, stopping]));
  journal.waitedMs = 'waitedMs' in reached ? reached.waitedMs : 0;
  if (reached.kind === 'waiting-room-full') return refuse(options, journal, reached.error, NO_FACTS);
  if (reached.kind === 'connected' && socket.destroyed) return reached.connection.destroy();
  const startedMs = journal.clock();
  const ending =
    reached.kind === 'failed' ? reached.evidence : await switchOrAnswer(options, journal, reached.connection);
  if (ending === 'joined') return;
  const evidence = ending;
  const verdict = judge(evidence);
  journal.attempts = [
    { startedMs, endedMs: journal.clock(), verdict, evidence, reason: 'first', notes: null },
  ];
  const whole = isDelivered(verdict, services.settings);
  if (stopping.aborted && !whole) return refuse(options, journal, shuttingDown(services.settings), NO_FACTS);
  if (whole || verdict === 'abandoned') return;
  const hints = localHints(options.request, services.nearby(), journal.id);
  const { error, facts } = upstreamFailure(journal.attempts, journal.waitedMs, services.settings, hints);
  refuse(options, journal, error, facts);
}

/** Resolves when both sides of the joined sockets are over, or with what was seen when the upstream did not switch. */
async function switchOrAnswer(
  options: UpgradeOptions,
  journal: Journal,
  connection: UpstreamConnection,
): Promise<'joined' | Evidence> {
  const { chassis, services, request, socket, head, stopping } = options;
  const { spool, settings } = services;
  let writer: SpoolWriter | null = null;
  const observation = observeResponse(request.method ?? '', connection, settings.firstByteTimeoutMs);
  socket.on('close', observation.abandon);
  stopping.addEventListener('abort', observation.abandon);
  if (stopping.aborted) observation.abandon();
  const joined = new Promise<'joined'>((resolve) => {
    chassis.upgrade(request, socket, head, upgradeRequest(options), connection, {
      failed: (error) => observation.failed(error),
      switched: () => {
        socket.off('close', observation.abandon);
        journal.status = 101;
        journal.outcome = 'upgraded';
        stopping.removeEventListener('abort', observation.abandon);
        stopping.addEventListener('abort', () => breakOff(options, journal, connection));
        join(socket, connection, () => resolve('joined'));
      },
      responded: (incoming) => {
        observation.responded(incoming, (_head, framing) => {
          const expectedBytes = framing.kind === 'length' ? framing.length : null;
          writer = spool.writer(expectedBytes, settings.memoryPerBodyBytes, settings.maxResponseBodyBytes);
          return writer;
        });
      },
    });
  });
  const ending = await Promise.race([joined, observation.evidence]);
  if (ending === 'joined') return ending;
  socket.off('close', observation.abandon);
  connection.destroy();
  await answer(options, journal, ending, writer);
  return ending;
}

/** http-proxy pipes both ways; what it does not do is to pass a reset on as a reset. */
function join(socket: Socket, connection: UpstreamConnection, over: () => void): void {
  const upstream = connection.socket;
  upstream.on('error', () => reset(socket));
  upstream.on('end', () => {
    if (connection.endedBy === 'rst') reset(socket);
  });
  upstream.on('close', () => {
    if (connection.endedBy !== 'fin') reset(socket);
  });
  socket.on('error', () => reset(upstream));
  socket.on('close', () => {
    upstream.destroy();
    over();
  });
}

function breakOff(options: UpgradeOptions, journal: Journal, connection: UpstreamConnection): void {
  journal.outcome = 'cut';
  journal.blame(shuttingDown(options.services.settings));
  reset(options.socket);
  reset(connection.socket);
}

function upgradeRequest(options: UpgradeOptions): ForwardedRequest {
  const { request, services, encrypted } = options;
  const clientAddress = services.addressOf(request.socket);
  const trusted = services.trusts(clientAddress);
  const context = { settings: services.settings, via: services.via, clientAddress, trusted, encrypted };
  const { target, fields } = forwardedRequest(request, null, context);
  const protocols = offeredProtocols({ minor: 1, fields: request.rawHeaders });
  const switching = fields.map((value, index) => (isConnectionValue(fields, index) ? 'Upgrade' : value));
  return { target, fields: [...switching, 'Upgrade', protocols.join(', ')] };
}

function isConnectionValue(fields: readonly string[], index: number): boolean {
  return index % 2 === 1 && fields[index - 1]?.toLowerCase() === 'connection';
}

function isDelivered(verdict: VerdictKind, { unverifiable }: Settings): boolean {
  return verdict === 'complete' || (verdict === 'unverifiable' && unverifiable === 'deliver');
}

/** The upstream did not switch: its answer goes to the client whole, as any other. */
async function answer(
  options: UpgradeOptions,
  journal: Journal,
  evidence: Evidence,
  writer: SpoolWriter | null,
): Promise<void> {
  const { request, socket, linger } = options;
  const { head } = evidence;
  const verdict = judge(evidence);
  if (writer === null || head === null || !isDelivered(verdict, options.services.settings)) {
    writer?.[Symbol.dispose]();
    return;
  }
  const body = await writer.finish();
  if ('kind' in body) throw new Error('the answer could not be kept');
  using kept = body;
  const sent = clientHead(head, request, options.services, options.encrypted);
  journal.sentence = sent.note;
  const whole = upstreamAnswer(request.method ?? '', sent.head, kept, verdict);
  journal.status = head.status;
  socket.setTimeout(options.services.settings.clientReceiveTimeoutMs, () => reset(socket));
  await written(socket, Buffer.from(rawAnswerHead(whole), 'latin1'));
  for await (const part of kept.parts()) {
    // Lingering before the last octet is with the kernel could cut it off.
    if (!(await written(socket, part))) return;
  }
  journal.outcome = 'delivered';
  journal.responseBytes = kept.bytes;
  linger();
}
