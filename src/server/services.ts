/** What the exchanges under one set of settings share: a reload makes it again, and each exchange keeps what it began with. */

import type { Socket } from 'node:net';
import { trustIn } from '../client/peer.ts';
import type { Settings } from '../config/settings.ts';
import { targetUrl } from '../config/target.ts';
import { strayBytesNotice } from '../exchange/explain.ts';
import { HeldBackHints, waitingNotice } from '../exchange/notices.ts';
import type { Services } from '../exchange/services.ts';
import type { Spool } from '../spool/spool.ts';
import { Absence, answeringPorts, WaitingRoom } from '../upstream/absence.ts';
import type { Waiters } from '../upstream/absence.ts';
import { ConnectGate } from '../upstream/connect-gate.ts';
import type { Connecting, ConnectOptions } from '../upstream/connection.ts';
import { openConnection } from '../upstream/dial.ts';
import { ConnectionPool } from '../upstream/pool.ts';
import { Routes } from '../upstream/routes.ts';
import type { EventPublisher } from './event-publisher.ts';

/** What lasts as long as the proxy. */
export interface Shared {
  readonly spool: Spool;
  readonly publisher: EventPublisher;
  readonly waiters: Waiters;
  /** The name by which this proxy knows itself in Via. */
  readonly via: string;
  /** Where clients reach it, and where people and tools do; null: nowhere. The ports are known once it listens. */
  readonly urls: () => { readonly url: string; readonly adminUrl: string | null };
  readonly addressOf: (socket: Socket) => string;
  /** The proxy shuts down. */
  closing: boolean;
}

export function servicesUnder(settings: Settings, shared: Shared): Services {
  const { target, insecure } = settings;
  const { spool, publisher, waiters, via, urls, addressOf } = shared;
  const gate = new ConnectGate();
  const absence = new Absence({
    answeringPorts: () => answeringPorts(target, ownPorts(urls())),
    waiting: (absent) => publisher.waiting(waitingNotice(absent, settings)),
  });
  const connect = (options: Pick<ConnectOptions, 'timeoutMs' | 'asStream'>): Connecting => {
    const connecting = gate.open(() => openConnection({ target, insecure, ...options }));
    void connecting.result.then((result) => absence.met(result));
    return connecting;
  };
  return {
    settings,
    spool,
    pool: new ConnectionPool(settings, () => publisher.strayBytes(strayBytesNotice(targetUrl(target)))),
    routes: new Routes(),
    waitingRoom: new WaitingRoom(waiters, () => absence.waitBegins()),
    heldBack: new HeldBackHints(),
    via,
    isClosing: () => shared.closing,
    watch: () => publisher.watch(),
    connect: (timeoutMs) => connect({ timeoutMs }),
    connectAsStream: (timeoutMs) => connect({ timeoutMs, asStream: true }),
    addressOf,
    nearby: () => ({ adminUrl: browsable(urls().adminUrl), answering: absence.answering }),
    trusts: trustIn(settings.trustProxy),
    record: (record) => publisher.exchange(record),
  };
}

function ownPorts({ url, adminUrl }: ReturnType<Shared['urls']>): readonly number[] {
  return [url, adminUrl ?? ''].map((one) => Number(/:(\d+)$/.exec(one)?.[1] ?? 0));
}

/** As a browser on this machine can open it. */
function browsable(url: string | null): string | null {
  return url?.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:') ?? null;
}

/** Listening sockets and budgets are made once: only a restart changes them. */
const ONLY_AT_START = [
  'port',
  'host',
  'socketPath',
  'tlsCert',
  'tlsKey',
  'admin',
  'adminPort',
  'adminHost',
  'maxHeaderBytes',
  'memoryTotalBytes',
  'diskTotalBytes',
  'spoolDir',
] as const satisfies readonly (keyof Settings)[];

export interface Reloaded {
  /** The wanted settings, except those that only a restart can put in force. */
  readonly settings: Settings;
  /** The names of those that differ. */
  readonly needRestart: readonly (keyof Settings)[];
}

export function reloaded(inForce: Settings, wanted: Settings): Reloaded {
  const kept = Object.fromEntries(ONLY_AT_START.map((name) => [name, inForce[name]]));
  return {
    settings: Object.freeze({ ...wanted, ...kept }),
    needRestart: ONLY_AT_START.filter((name) => inForce[name] !== wanted[name]),
  };
}
