/** Node's parser of a client's requests: what it hands over, and when it stops handing over. */

import type { Socket } from 'node:net';

/** llhttp: assume that there is no body, and stop after the head. */
const SKIP_BODY = 2;

interface RequestParser {
  /** Returns what llhttp is to do with the body. */
  onIncoming(this: void, request: { readonly upgrade?: boolean | null }, keepAlive: boolean): number;
  /** The request whose body is being parsed, if Node is to have it. */
  incoming: unknown;
}

/**
 * Makes Node hand over every upgrade after its head, with or without a body. Node 26 would parse the body first, and hand
 * over a stream that is not the socket; see test/facts/upgrades.test.ts. Call when the server has accepted the socket.
 */
export function stopAtUpgrades(socket: Socket): void {
  const parser = parserOf(socket);
  if (parser === null) return;
  const { onIncoming } = parser;
  parser.onIncoming = (request, keepAlive) => {
    const result = onIncoming(request, keepAlive);
    return request.upgrade === true ? SKIP_BODY : result;
  };
}

/**
 * Makes Node hand over nothing more: no request, no upgrade, nothing of a body. It would respond to a further request
 * although an earlier response is still due, and an assertion about that ends the process; see
 * test/facts/http-server.test.ts.
 */
export function ignoreRequests(socket: Socket): void {
  const parser = parserOf(socket);
  if (parser === null) return;
  parser.incoming = null;
  parser.onIncoming = () => {
    parser.incoming = null;
    return 0;
  };
}

function parserOf(socket: Socket): RequestParser | null {
  const parser: unknown = Reflect.get(socket, 'parser');
  return isRequestParser(parser) ? parser : null;
}

function isRequestParser(value: unknown): value is RequestParser {
  return (
    typeof value === 'object' &&
    value !== null &&
    'incoming' in value &&
    'onIncoming' in value &&
    typeof value.onIncoming === 'function'
  );
}
