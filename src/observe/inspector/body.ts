/** A kept body as it is shown: decoded, as text where it is text, without its secrets. */

import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { fieldValue } from '../../http/fields.ts';
import type { Fields } from '../../http/fields.ts';
import type { BodyPreview } from '../../spool/body-preview.ts';
import { redactBody } from '../redact-body.ts';
import type { Body } from './types.ts';

export function bodyView(kept: BodyPreview | null, fields: Fields): Body | null {
  const body = readableBody(kept, fields);
  if (kept === null || body === null) return null;
  const { bytes, keptBytes } = kept;
  const content = body.isText ? body.bytes.toString() : body.bytes.toString('base64');
  const encoding = body.isText ? 'text' : 'base64';
  return { bytes, kept: keptBytes, whole: keptBytes === bytes, encoding, content };
}

/** What is kept of a body, decoded where that is possible, without its secrets. */
export interface ReadableBody {
  /** UTF-8, if it is text. */
  readonly bytes: Buffer;
  readonly isText: boolean;
  /** Whether its Content-Encoding is undone. */
  readonly decoded: boolean;
}

/** Null: there was no body, or none was kept. */
export function readableBody(kept: BodyPreview | null, fields: Fields): ReadableBody | null {
  if (kept === null || kept.bytes === 0) return null;
  const raw = kept.octets();
  const whole = kept.keptBytes === kept.bytes;
  const bytes = decoded(raw, whole ? fieldValue(fields, 'content-encoding') : undefined);
  return { ...withoutSecrets(bytes, mediaType(fields) ?? ''), decoded: bytes !== raw };
}

/** Without its parameters, in lower case; null: none was named. */
export function mediaType(fields: Fields): string | null {
  const type = fieldValue(fields, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  return type === undefined || type === '' ? null : type;
}

/** A small body that unfolds to a huge one is a known attack. */
const LIMIT = { maxOutputLength: 512 * 1024 };

const DECODERS: ReadonlyMap<string, (octets: Buffer) => Buffer> = new Map([
  ['gzip', (octets: Buffer) => gunzipSync(octets, LIMIT)],
  ['x-gzip', (octets: Buffer) => gunzipSync(octets, LIMIT)],
  ['deflate', (octets: Buffer) => inflateSync(octets, LIMIT)],
  ['br', (octets: Buffer) => brotliDecompressSync(octets, LIMIT)],
]);

function decoded(octets: Buffer, coding: string | undefined): Buffer {
  try {
    return DECODERS.get(coding?.trim().toLowerCase() ?? '')?.(octets) ?? octets;
  } catch {
    // Not what its field says, or too large: shown as it is.
    return octets;
  }
}

function withoutSecrets(octets: Buffer, type: string): Omit<ReadableBody, 'decoded'> {
  const text = utf8(octets) ?? (type.startsWith('text/') ? octets.toString('latin1') : null);
  if (text !== null) return { isText: true, bytes: Buffer.from(redactBody(text, type)) };
  // A form with a picture in it has fields all the same.
  return { isText: false, bytes: Buffer.from(redactBody(octets.toString('latin1'), type), 'latin1') };
}

/** Null: it is not text. A character that the end of what is kept cuts in two is left out. */
function utf8(octets: Buffer): string | null {
  if (octets.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets, { stream: true });
  } catch {
    return null;
  }
}
