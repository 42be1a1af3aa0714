/** Passes interim responses on to the client. */

import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { clientFields, serializeFields } from '../http/forwarding.ts';
import type { Request } from '../http/request.ts';
import type { ResponseHead } from '../http/response-head.ts';

/** Before the final response is begun. */
export function forwardInterim(
  { socket, headersSent }: ServerResponse,
  request: Request,
  head: ResponseHead,
): void {
  if (!headersSent && socket !== null) writeInterim(socket, request, head);
}

/** RFC 9110 section 15.2: 1xx goes on, but not to HTTP/1.0, and not 100: that one we have answered ourselves. */
export function writeInterim(client: Writable, { method, minor }: Request, head: ResponseHead): void {
  const { status, reason, fields } = head;
  if (status === 100 || minor === 0) return;
  const kept = clientFields({ fields, status, method, length: null });
  client.write(`HTTP/1.1 ${status} ${reason}\r\n${serializeFields(kept)}\r\n`, 'latin1');
}
