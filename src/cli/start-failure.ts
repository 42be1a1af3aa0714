/** What can be wrong at the start: the proxy cannot listen, or its upstream does not accept connections. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Settings } from '../config/settings.ts';
import { explainAbsentAtStart } from '../exchange/notices.ts';
import { answeringPorts } from '../upstream/absence.ts';
import type { Connecting } from '../upstream/connection.ts';
import { openConnection } from '../upstream/dial.ts';

/** Which of the two listeners failed, and the options that set its address. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly hostFlag: string;
  readonly portFlag: string;
  /** The unix socket to listen on; null: a port. */
  readonly socketPath: string | null;
}

const FIRST_UNPRIVILEGED_PORT = 1024;

const SENTENCES: ReadonlyMap<string, (place: Place) => string> = new Map(
  Object.entries<(place: Place) => string>({
    EADDRINUSE: ({ host, port, portFlag, socketPath }) =>
      socketPath === null
        ? `Port ${port} on ${host} is in use: choose another with ${portFlag}, or stop the program that holds it.`
        : `The path ${socketPath} is taken by a program that listens there, or by a file that is no socket: choose another with --socket, or stop that program, or remove that file.`,
    // libuv also reports EACCES if the socket's folder does not exist (uv_pipe_bind2).
    EACCES: ({ host, port, portFlag, socketPath }) =>
      socketPath === null
        ? `Port ${port} on ${host} is not open to this user: choose one from ${FIRST_UNPRIVILEGED_PORT} with ${portFlag}.`
        : `The socket ${socketPath} cannot be made: its folder must be there and open to this user, or choose another with --socket.`,
    EADDRNOTAVAIL: ({ host, hostFlag }) =>
      `This machine does not have the address ${host}: choose another with ${hostFlag}.`,
    EAFNOSUPPORT: ({ host, hostFlag }) =>
      `This machine has no network for the address ${host}: choose another with ${hostFlag}.`,
    ENOTFOUND: ({ host, hostFlag }) =>
      `The host name ${host} has no address: choose another with ${hostFlag}.`,
    EAI_AGAIN: ({ host, hostFlag }) =>
      `The host name ${host} cannot be looked up now: give an address with ${hostFlag}.`,
  }),
);

export function startFailure(error: unknown, settings: Settings): string {
  const sentence = SENTENCES.get(textOf(error, 'code'));
  const isListening = ['listen', 'bind', 'getaddrinfo'].includes(textOf(error, 'syscall'));
  if (sentence !== undefined && isListening) return sentence(placeOf(error, settings));
  const message = error instanceof Error ? error.message : String(error);
  return `lastbyte could not start: ${message}.`;
}

function placeOf(error: unknown, settings: Settings): Place {
  const { host, port, socketPath, admin, adminHost, adminPort } = settings;
  const failed = {
    address: textOf(error, 'address') || textOf(error, 'hostname'),
    port: textOf(error, 'port'),
  };
  const fits = (atHost: string, atPort: number): boolean =>
    failed.address === atHost && (failed.port === '' || failed.port === String(atPort));
  const isAdmin =
    admin && (fits(adminHost, adminPort) || failed.port === String(adminPort)) && !fits(host, port);
  return isAdmin
    ? {
        host: adminHost,
        port: adminPort,
        hostFlag: '--admin-host',
        portFlag: '--admin-port',
        socketPath: null,
      }
    : { host, port, hostFlag: '--host', portFlag: '--port', socketPath };
}

function textOf(error: unknown, property: 'code' | 'syscall' | 'address' | 'hostname' | 'port'): string {
  if (!(error instanceof Error)) return '';
  const value: unknown = Reflect.get(error, property);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

export interface UpstreamCheck {
  /** Null: it accepts connections, or the check was cancelled. */
  readonly sentence: Promise<string | null>;
  cancel(): void;
}

const PROBE_MS = 100;

/**
 * Checks that the upstream accepts connections.
 *
 * @param ownUrls where lastbyte itself listens
 * @param startupMs how long to keep trying
 */
export function checkUpstream(
  settings: Settings,
  ownUrls: readonly (string | null)[],
  startupMs: number,
): UpstreamCheck {
  const { target, insecure, connectTimeoutMs: timeoutMs } = settings;
  const connect = (): Connecting => openConnection({ target, insecure, timeoutMs });
  const deadlineMs = performance.now() + startupMs;
  let connecting = connect();
  const cancelling = new AbortController();
  const ask = async (): Promise<string | null> => {
    let result = await connecting.result;
    while (result.kind === 'failed' && performance.now() < deadlineMs) {
      await delay(PROBE_MS, undefined, { ref: false });
      if (cancelling.signal.aborted) return null;
      connecting = connect();
      result = await connecting.result;
    }
    if (result.kind === 'connected') {
      result.connection.destroy();
      return null;
    }
    const { errorCode, detail } = result;
    const answering = await answeringPorts(target, ownUrls.map(portOf));
    if (cancelling.signal.aborted) return null;
    return explainAbsentAtStart({ reason: detail ?? errorCode, errorCode, answering }, settings);
  };
  return {
    sentence: ask(),
    cancel: () => {
      cancelling.abort();
      connecting.cancel();
    },
  };
}

function portOf(url: string | null): number {
  return Number(/:(\d+)$/.exec(url ?? '')?.[1] ?? 0);
}
