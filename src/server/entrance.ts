/** Where requests enter: each is handed to the kind of exchange that it needs, and its connection told which one that is. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Chassis } from '../chassis/chassis.ts';
import { StreamedExchange } from '../chassis/streamed.ts';
import { UpgradedExchange } from '../chassis/upgraded.ts';
import { linger } from '../client/linger.ts';
import { Exchange } from '../exchange/exchange.ts';
import type { Services } from '../exchange/services.ts';
import { parseRequest } from '../http/request.ts';
import { pathStreams } from '../http/streaming.ts';
import type { ClientConnection } from './listener.ts';

export interface Entrance {
  readonly chassis: Chassis;
  readonly services: Services;
}

export function enterRequest(
  { chassis, services }: Entrance,
  connection: ClientConnection,
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
): Promise<void> {
  const { socket, encrypted } = connection;
  const parsed = parseRequest(request);
  const asked = { services, request, parsed, response, expectsContinue, encrypted };
  if (pathStreams(parsed.target, services.settings.stream)) {
    const streamed = new StreamedExchange({ chassis, socket, ...asked });
    connection.current = streamed;
    return streamed.run();
  }
  const exchange = new Exchange(asked);
  connection.current = exchange;
  return chassis.buffered(request, response, () => exchange.run());
}

export function enterUpgrade(
  { chassis, services }: Entrance,
  connection: ClientConnection,
  request: IncomingMessage,
  head: Buffer,
): Promise<void> {
  const { socket, encrypted } = connection;
  const upgraded = new UpgradedExchange({
    chassis,
    services,
    request,
    parsed: parseRequest(request),
    socket,
    head,
    encrypted,
    linger: () => linger(socket, services.settings),
  });
  connection.current = upgraded;
  return upgraded.run();
}
