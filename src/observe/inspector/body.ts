/** A kept body as it is shown: decoded, as text if it is text, without its secrets. */

import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { fieldValue, listMembers } from '../../http/fields.ts';
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

/** The kept part of a body, decoded if possible, without its secrets. */
export interface ReadableBody {
  /** UTF-8, if it is text. */
  readonly bytes: Buffer;
  readonly isText: boolean;
  /** Whether its Content-Encoding was removed. */
  readonly isDecoded: boolean;
  /** Whether the kept part was decoded in full. */
  readonly isWhole: boolean;
}

/** Null: there was no body, or none was kept. */
export function readableBody(kept: BodyPreview | null, fields: Fields): ReadableBody | null {
  if (kept === null || kept.bytes === 0) return null;
  const { bytes, ...how } = decoded(kept.content(), fieldValue(fields, 'content-encoding') ?? '');
  return { ...withoutSecrets(bytes, mediaType(fields) ?? ''), ...how };
}

/** In lower case, without parameters; null: there is none. */
export function mediaType(fields: Fields): string | null {
  const type = fieldValue(fields, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  return type === undefined || type === '' ? null : type;
}

type Decoded = Omit<ReadableBody, 'isText'>;

/**
 * What cannot be decoded is not shown, because secrets in it could not be found, unless it is text despite its
 * Content-Encoding.
 */
function decoded(raw: Buffer, contentEncoding: string): Decoded {
  const codings = listMembers(contentEncoding).filter((coding) => coding !== 'identity');
  let bytes = raw;
  let isWhole = true;
  for (const coding of codings.toReversed()) {
    const unfolded = unfold(bytes, DECODERS.get(coding));
    if (unfolded === null) {
      const isText = utf8(raw) !== null;
      return { bytes: isText ? raw : Buffer.alloc(0), isDecoded: false, isWhole: isText };
    }
    bytes = unfolded.bytes;
    isWhole &&= unfolded.isWhole;
  }
  return { bytes, isDecoded: codings.length > 0, isWhole };
}

type Decoder = (raw: Buffer) => Buffer;

/** Against decompression bombs. */
const MAX_DECODED_BYTES = 512 * 1024;

/** An incomplete body is decoded as far as possible. */
const ZLIB = { maxOutputLength: MAX_DECODED_BYTES, finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI = { maxOutputLength: MAX_DECODED_BYTES, finishFlush: constants.BROTLI_OPERATION_FLUSH };

const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ['gzip', (raw: Buffer) => gunzipSync(raw, ZLIB)],
  ['x-gzip', (raw: Buffer) => gunzipSync(raw, ZLIB)],
  // Some servers omit the zlib header (RFC 9110 section 8.4.1.2).
  ['deflate', (raw: Buffer) => ((raw[0] ?? 0) % 16 === 8 ? inflateSync : inflateRawSync)(raw, ZLIB)],
  ['br', (raw: Buffer) => brotliDecompressSync(raw, BROTLI)],
]);

/** As much of the beginning as is valid and stays within the limit; null: it cannot be decoded. */
function unfold(raw: Buffer, decode: Decoder | undefined): { bytes: Buffer; isWhole: boolean } | null {
  if (decode === undefined) return null;
  for (let length = raw.length; length > 0; length = Math.floor(length / 2)) {
    try {
      const bytes = decode(raw.subarray(0, length));
      if (bytes.length > 0 || length === raw.length) return { bytes, isWhole: length === raw.length };
    } catch {
      // Try the first half.
    }
  }
  return null;
}

function withoutSecrets(raw: Buffer, type: string): Pick<ReadableBody, 'bytes' | 'isText'> {
  const text = utf8(raw) ?? (type.startsWith('text/') ? raw.toString('latin1') : null);
  if (text !== null) return { isText: true, bytes: Buffer.from(redactBody(text, type)) };
  // A form with a picture has other fields, too.
  return { isText: false, bytes: Buffer.from(redactBody(raw.toString('latin1'), type), 'latin1') };
}

/** Null: it is not text. An incomplete character at the end is left out. */
function utf8(raw: Buffer): string | null {
  if (raw.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw, { stream: true });
  } catch {
    return null;
  }
}
