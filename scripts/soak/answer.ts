/** Reads one response of the proxy as strictly as it promises to write it. */

import type { ByteReader } from '../../test/harness/byte-reader.ts';

export type Answer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** Lower-case names; of a repeated field the last. */
      readonly fields: ReadonlyMap<string, string>;
      readonly body: Buffer;
      readonly interim: readonly number[];
    }
  /** The connection ended before the response did. */
  | { readonly kind: 'cut'; readonly status: number; readonly bytes: number };

/** @throws when the response is not framed as it must be */
export async function readAnswer(reader: ByteReader, method: string): Promise<Answer> {
  const interim: number[] = [];
  for (;;) {
    const text = await reader.until('\r\n\r\n');
    if (text === null) return { kind: 'cut', status: 0, bytes: reader.bytes };
    const { status, fields } = parsed(text);
    if (status >= 100 && status < 200 && status !== 101) {
      interim.push(status);
      continue;
    }
    const body = await readBody(reader, method, status, fields);
    if (body === null) return { kind: 'cut', status, bytes: reader.bytes };
    return { kind: 'answer', status, fields, body, interim };
  }
}

interface Head {
  readonly status: number;
  readonly fields: ReadonlyMap<string, string>;
}

function parsed(text: string): Head {
  const [line = '', ...lines] = text.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Error(`not a status line: ${line.slice(0, 80)}`);
  const fields = new Map<string, string>();
  for (const field of lines) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon).toLowerCase();
    if (name === 'content-length' && fields.has(name)) throw new Error('two Content-Length fields');
    fields.set(name, field.slice(colon + 1).trim());
  }
  return { status, fields };
}

async function readBody(
  reader: ByteReader,
  method: string,
  status: number,
  fields: Head['fields'],
): Promise<Buffer | null> {
  if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return Buffer.alloc(0);
  const length = fields.get('content-length');
  const coding = fields.get('transfer-encoding');
  const streams = fields.get('content-type') === 'text/event-stream';
  if (!streams && (length === undefined || coding !== undefined)) throw new Error('not framed by a length');
  if (length !== undefined) return await reader.take(Number(length));
  if (coding !== undefined) return await readChunks(reader);
  const body = await reader.rest();
  return reader.ended === 'fin' ? body : null;
}

async function readChunks(reader: ByteReader): Promise<Buffer | null> {
  const parts: Buffer[] = [];
  for (;;) {
    const line = await reader.until('\r\n');
    if (line === null) return null;
    const chunk = await reader.take(Number.parseInt(line, 16) + 2);
    if (chunk === null) return null;
    if (chunk.length === 2) return Buffer.concat(parts);
    parts.push(chunk.subarray(0, -2));
  }
}
