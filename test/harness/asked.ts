/** Upstreams for a diagnosis: they read requests with any body, and respond as a script says. */

import type { SeenRequest, Script, UpstreamConnection } from './upstream.ts';
import { valueOf } from './client.ts';

/** A request, before its body is read. */
export interface Asked extends SeenRequest {
  /** Whether the client asks for the connection to be closed. */
  readonly closes: boolean;
  readonly hasBody: boolean;
  /** Reads the body, after 100 (Continue) if the client expects that. Null: the client left first. */
  readonly body: () => Promise<Buffer | null>;
}

/** Answers each request on each connection; ends a connection when it is asked to. */
export function serving(
  respond: (connection: UpstreamConnection, asked: Asked) => Promise<void> | void,
): Script {
  return async (connection) => {
    for (;;) {
      const request = await connection.request();
      if (request === null) return connection.fin();
      const asked = askedBy(request, connection);
      await respond(connection, asked);
      if (asked.closes) return connection.fin();
    }
  };
}

/** A server without a fault. */
export function faultless(answer: string | Buffer): Script {
  return serving(async (connection, { body }) => {
    await body();
    await connection.send(answer);
  });
}

function askedBy(request: SeenRequest, connection: UpstreamConnection): Asked {
  const { fields } = request;
  const says = (name: string): string => valueOf(fields, name)?.toLowerCase() ?? '';
  const length = Number(says('content-length'));
  const chunked = says('transfer-encoding') === 'chunked';
  // The scenarios of HTTP/1.0 say nothing about the connection, and HTTP/1.0 closes.
  const closes = says('connection') !== 'keep-alive';
  const body = async (): Promise<Buffer | null> => {
    if (says('expect') !== '') await connection.send('HTTP/1.1 100 Continue\r\n\r\n');
    return chunked ? await connection.through('\r\n0\r\n\r\n') : await connection.body(length);
  };
  return { ...request, closes, hasBody: chunked || length > 0, body };
}
