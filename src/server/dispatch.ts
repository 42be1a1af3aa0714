/** Hands each request to an exchange with the transport that it needs. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { responseTo } from '../client/response-writer.ts';
import type { Settings } from '../config/settings.ts';
import { BufferedTransport } from '../exchange/buffered.ts';
import { Exchange } from '../exchange/exchange.ts';
import type { Services } from '../exchange/services.ts';
import type { Asked } from '../exchange/transport.ts';
import type { Passes } from '../http-proxy/passes.ts';
import { StreamedTransport, UpgradedTransport } from '../http-proxy/transports.ts';
import { parseRequest } from '../http/request.ts';
import { pathStreams } from '../http/streaming.ts';
import type { ClientConnection, Dispatched } from './client-connection.ts';

export interface Router {
  readonly passes: Passes;
  readonly services: Services;
}

/** A request where it comes in. */
export type Arrival = Omit<Asked, 'services' | 'response'>;

/** On a connection of our own listener. */
export function arrivalOn(
  { encrypted }: ClientConnection,
  incoming: IncomingMessage,
  settings: Settings,
): Arrival {
  const { keepAliveTimeoutMs } = settings;
  return { incoming, request: parseRequest(incoming), encrypted, keepAliveTimeoutMs, refusal: null };
}

export function dispatchRequest(
  { passes, services }: Router,
  arrival: Arrival,
  response: ServerResponse,
  expectsContinue: boolean,
): Dispatched {
  const { incoming, request } = arrival;
  const asked = { ...arrival, services, response };
  if (pathStreams(request.target, services.settings.stream)) {
    const exchange = new Exchange(asked, new StreamedTransport(passes, asked), expectsContinue);
    return { exchange, run: () => exchange.run() };
  }
  const exchange = new Exchange(asked, new BufferedTransport(asked), expectsContinue);
  return { exchange, run: () => passes.buffered(incoming, response, () => exchange.run()) };
}

/** @param received what the client sent after the request's head */
export function dispatchUpgrade(
  { passes, services }: Router,
  arrival: Arrival,
  received: Buffer,
): Dispatched {
  const asked = { ...arrival, services, response: responseTo(arrival.incoming) };
  const exchange = new Exchange(asked, new UpgradedTransport(passes, asked, received), false);
  return { exchange, run: () => exchange.run() };
}
