/** Passes interim responses on to the client. */

import type { ServerResponse } from 'node:http';
import { clientFields, serializeFields } from '../http/forwarding.ts';
import type { ResponseHead } from '../http/response-head.ts';

/** RFC 9110 section 15.2: 1xx goes on, but not to HTTP/1.0, and not 100: that one we have answered ourselves. */
export function forwardInterim(response: ServerResponse, head: ResponseHead): void {
  const { socket, headersSent, req } = response;
  if (head.status === 100 || req.httpVersionMinor === 0 || headersSent || socket === null) return;
  const { status, reason, fields } = head;
  const kept = clientFields({ fields, status, method: req.method ?? '', length: null });
  socket.write(`HTTP/1.1 ${status} ${reason}\r\n${serializeFields(kept)}\r\n`, 'latin1');
}
