/** Hands each request to an exchange with the transport that it needs. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { responseTo } from '../client/response-writer.ts';
import { BufferedTransport } from '../exchange/buffered.ts';
import { Exchange } from '../exchange/exchange.ts';
import type { Services } from '../exchange/services.ts';
import type { Passes } from '../http-proxy/passes.ts';
import { StreamedTransport } from '../http-proxy/streamed.ts';
import { UpgradedTransport } from '../http-proxy/upgraded.ts';
import { parseRequest } from '../http/request.ts';
import { pathStreams } from '../http/streaming.ts';
import type { ClientConnection, Dispatched } from './client-connection.ts';

export interface Router {
  readonly passes: Passes;
  readonly services: Services;
}

export function dispatchRequest(
  { passes, services }: Router,
  { encrypted }: ClientConnection,
  incoming: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
): Dispatched {
  const request = parseRequest(incoming);
  const asked = { services, request, incoming, response, encrypted };
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
  { encrypted }: ClientConnection,
  incoming: IncomingMessage,
  received: Buffer,
): Dispatched {
  const response = responseTo(incoming);
  const request = parseRequest(incoming);
  const asked = { services, request, incoming, response, encrypted };
  const exchange = new Exchange(asked, new UpgradedTransport(passes, asked, received), false);
  return { exchange, run: () => exchange.run() };
}
