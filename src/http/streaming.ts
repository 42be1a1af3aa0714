/** Which responses must not be buffered: those that are meant to be seen before they end. */

import { fieldValue } from './fields.ts';
import type { ResponseHead } from './response-head.ts';

const STREAMING_TYPES = new Set(['text/event-stream', 'multipart/x-mixed-replace', 'application/x-ndjson']);

/** @param extra what the user named: media types, and paths, which do not matter here */
export function mustStream(head: ResponseHead, extra: readonly string[]): boolean {
  if (fieldValue(head.fields, 'x-accel-buffering')?.toLowerCase() === 'no') return true;
  const contentType = fieldValue(head.fields, 'content-type');
  if (contentType === undefined) return false;
  const [type = ''] = contentType.toLowerCase().split(';');
  const name = type.trim();
  return (
    STREAMING_TYPES.has(name) ||
    /^application\/grpc(?:$|[+-])/.test(name) ||
    extra.some((one) => one.toLowerCase() === name)
  );
}

/** @param paths prefixes in which `*` stands for any run of characters; media types among them do not matter here */
export function pathStreams(url: string, paths: readonly string[]): boolean {
  if (paths.length === 0) return false;
  const [path = ''] = url.split('?', 1);
  return paths.some((pattern) => pattern.startsWith('/') && startsLike(path, pattern));
}

function startsLike(path: string, pattern: string): boolean {
  const [first = '', ...others] = pattern.split('*');
  if (!path.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = path.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return true;
}
