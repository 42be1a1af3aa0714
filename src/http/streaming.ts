/** Which responses are meant to be seen before they end, so that they must not be buffered. */

import { fieldValue, trimOws } from './fields.ts';
import { originForm } from './request.ts';
import type { ResponseHead } from './response-head.ts';

/**
 * Server-sent events, camera images, the parts of a GraphQL response with @defer, and sequences of JSON documents
 * (RFC 7464 for json-seq; Spring's stream+json).
 */
const STREAMING_TYPES: ReadonlySet<string> = new Set([
  'text/event-stream',
  'multipart/x-mixed-replace',
  'multipart/mixed',
  'application/x-ndjson',
  'application/jsonl',
  'application/stream+json',
  'application/json-seq',
]);
/** A prefix: gRPC has several types, such as application/grpc+proto. */
const GRPC = 'application/grpc';

/** @param extraTypes the user's media types, in which `*` matches any characters; paths in the list are ignored */
export function mustStream(head: ResponseHead, extraTypes: readonly string[]): boolean {
  if (fieldValue(head.fields, 'x-accel-buffering')?.toLowerCase() === 'no') return true;
  const contentType = fieldValue(head.fields, 'content-type');
  if (contentType === undefined) return false;
  const type = trimOws(before(contentType, ';')).toLowerCase();
  if (STREAMING_TYPES.has(type) || type.startsWith(GRPC)) return true;
  return extraTypes.some((pattern) => isWholeMatch(type, pattern.toLowerCase()));
}

/** @param paths prefixes, in which `*` matches any characters; media types in the list are ignored */
export function pathStreams(url: string, paths: readonly string[]): boolean {
  if (paths.length === 0) return false;
  const path = before(originForm(url).target, '?');
  return paths.some((pattern) => pattern.startsWith('/') && prefixEnd(path, pattern) >= 0);
}

function before(text: string, mark: string): string {
  const at = text.indexOf(mark);
  return at < 0 ? text : text.slice(0, at);
}

function isWholeMatch(text: string, pattern: string): boolean {
  if (!pattern.includes('*')) return text === pattern;
  return pattern.endsWith('*') ? prefixEnd(text, pattern) >= 0 : prefixEnd(`${text}\n`, `${pattern}\n`) >= 0;
}

/**
 * The end of the shortest prefix of `text` that the pattern matches, or -1. Not a regular expression built from the
 * pattern: several `*` would make it slow on a path that almost matches.
 */
function prefixEnd(text: string, pattern: string): number {
  let at = -1;
  for (const part of pattern.split('*')) {
    const found = at < 0 ? (text.startsWith(part) ? 0 : -1) : text.indexOf(part, at);
    if (found < 0) return -1;
    at = found + part.length;
  }
  return at;
}
