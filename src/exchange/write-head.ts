/** Writes the head of a response through Node so that each byte of its fields goes out as it is. */

import type { ServerResponse } from 'node:http';
import { lengthLast } from '../http/forwarding.ts';

/** Status line and fields, one byte a character (latin1). */
export interface HeadToWrite {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
}

/**
 * Hands the head to Node, which sends it with the first bytes of the body. These must be a Buffer: in front of a string
 * it would be encoded as UTF-8 (test/facts/header-bytes.test.ts). Node adds a Date where there is none (RFC 9110
 * section 6.6.1).
 *
 * @param connection the fields that concern the connection
 */
export function writeHead(
  response: ServerResponse,
  { status, reason, fields }: HeadToWrite,
  connection: readonly string[],
): void {
  response.writeHead(status, reason, [...lengthLast(fields), ...connection]);
}

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Sends the head before there is any body. Node's own `flushHeaders()` would encode it as UTF-8. */
export function flushHead(response: ServerResponse): void {
  response.write(NO_BYTES);
}
