/** Passes interim responses on to the client. */

import type { ServerResponse } from 'node:http';
import { withoutHopByHop } from '../http/fields.ts';
import { serializeFields } from '../http/forwarding.ts';
import type { ResponseHead } from '../http/response-head.ts';

/** RFC 9110 section 15.2: 1xx goes on, but not to HTTP/1.0, and not 100: that one we have answered ourselves. */
export function forwardInterim(response: ServerResponse, head: ResponseHead): void {
  const { socket, headersSent, req } = response;
  if (head.status === 100 || req.httpVersionMinor === 0 || headersSent || socket === null) return;
  const fields = serializeFields(withoutHopByHop(head.fields));
  socket.write(`HTTP/1.1 ${head.status} ${head.reason}\r\n${fields}\r\n`, 'latin1');
}
