/** Header fields as a flat list [name, value, name, value, …], exactly as on the wire: case, order and duplicates kept. */

/** Strings hold one byte a character (latin1). */
export type Fields = readonly string[];

/** The first value of a field. @param name in lower case */
export function fieldValue(fields: Fields, name: string): string | undefined {
  let isName = true;
  let matches = false;
  for (const part of fields) {
    if (isName) matches = part.length === name.length && part.toLowerCase() === name;
    else if (matches) return part;
    isName = !isName;
  }
  return undefined;
}

const NONE: Fields = [];

/** All values of a field, in order. @param name in lower case */
export function fieldValues(fields: Fields, name: string): Fields {
  let values: string[] | null = null;
  let isName = true;
  let matches = false;
  for (const part of fields) {
    if (isName) matches = part.length === name.length && part.toLowerCase() === name;
    else if (matches) (values ??= []).push(part);
    isName = !isName;
  }
  return values ?? NONE;
}

export function eachField(fields: Fields, visit: (name: string, value: string) => void): void {
  let name: string | null = null;
  for (const part of fields) {
    if (name === null) {
      name = part;
    } else {
      visit(name, part);
      name = null;
    }
  }
}

/** The members of a comma-separated list (RFC 9110 section 5.6.1), trimmed and in lower case, empty ones dropped. */
export function listMembers(value: string): string[] {
  return listParts(value.toLowerCase());
}

/**
 * Nothing follows the last `+`, so a match never backtracks: the time is linear in the length, whatever the quotes. A
 * quote that is not closed runs to the end.
 */
const LIST_PART = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g;

/** Like `listMembers`, but keeps upper and lower case. */
export function listParts(value: string): string[] {
  if (!value.includes(',')) {
    const only = trimOws(value);
    return only === '' ? [] : [only];
  }
  const parts = value.includes('"') ? Array.from(value.matchAll(LIST_PART), String) : value.split(',');
  return parts.map(trimOws).filter((part) => part !== '');
}

/** Not String.prototype.trim, which also removes a no-break space: that is a byte of the value (obs-text). */
export function trimOws(text: string): string {
  let from = 0;
  let to = text.length;
  while (text[from] === ' ' || text[from] === '\t') from += 1;
  while (to > from && (text[to - 1] === ' ' || text[to - 1] === '\t')) to -= 1;
  return text.slice(from, to);
}

/** @param names in lower case */
export function withoutFields(fields: Fields, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  eachField(fields, (name, value) => {
    if (!names.has(name.toLowerCase())) kept.push(name, value);
  });
  return kept;
}

/** RFC 9110 section 7.6.1, and Trailer, because no trailers are forwarded. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // Part of an h2c offer: hop-by-hop even where Connection does not name it (RFC 7540 section 3.2.1).
  'http2-settings',
  // No field may have this name (RFC 9112 section 9.6). It is in this set so that `Connection: close` needs no new set.
  'close',
]);

/**
 * Fields that Connection cannot remove. RFC 9110 section 7.6.1 forbids a sender to name a field that is meant for all
 * recipients. A sender that does so may be attacking: without the field, the message has a different meaning after this
 * proxy than before it: another site (Host), length, user (Authorization, Cookie), origin (Forwarded) or content type, or
 * a cache stores what it must not.
 */
const PROTECTED: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'authorization',
  'cookie',
  'set-cookie',
  'location',
  'cache-control',
  'vary',
  'via',
]);

/**
 * Whether a field describes the client or the hops before this one. Decided by prefix, because servers and frameworks
 * trust more fields of this family (gunicorn X-Forwarded-Ssl and -Protocol, others -Prefix, -User, -By …).
 *
 * @param name in lower case
 */
export function isForwardedName(name: string): boolean {
  if (name.startsWith('x-')) return name.startsWith('x-forwarded') || name === 'x-real-ip';
  return name === 'forwarded';
}

/** The names, in lower case, of the fields that apply to this connection only. */
export function hopByHopNames(fields: Fields): ReadonlySet<string> {
  let names: Set<string> | null = null;
  for (const option of connectionOptions(fields)) {
    if (PROTECTED.has(option) || HOP_BY_HOP.has(option) || isForwardedName(option)) continue;
    (names ??= new Set(HOP_BY_HOP)).add(option);
  }
  return names ?? HOP_BY_HOP;
}

/** The members of all Connection fields. */
export function connectionOptions(fields: Fields): Fields {
  const values = fieldValues(fields, 'connection');
  const [only] = values;
  if (only === undefined) return NONE;
  return values.length === 1 ? listMembers(only) : values.flatMap(listMembers);
}
