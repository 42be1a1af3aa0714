/** Header fields as they stand on the wire: a flat list whose case, order and duplicates are kept. */

/** [name, value, name, value, …], latin1. */
export type Fields = readonly string[];

/** The first value of a field; `name` in lower case. */
export function fieldValue(fields: Fields, name: string): string | undefined {
  for (let index = 0; index + 1 < fields.length; index += 2) {
    if (isNamed(fields[index], name)) return fields[index + 1];
  }
  return undefined;
}

/** All values of a field; `name` in lower case. */
export function fieldValues(fields: Fields, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    if (isNamed(fields[index], name)) values.push(fields[index + 1] ?? '');
  }
  return values;
}

function isNamed(field: string | undefined, name: string): boolean {
  return field !== undefined && field.length === name.length && field.toLowerCase() === name;
}

const LIST_MEMBER = /(?:"(?:[^"\\]|\\.)*"?|[^",])+/g;

/** The members of a list, in lower case, empty ones dropped; commas in quotes do not separate (RFC 9110 section 5.6.1). */
export function listMembers(value: string): string[] {
  const members = value.match(LIST_MEMBER) ?? [];
  return members.map((member) => member.trim().toLowerCase()).filter((member) => member !== '');
}

/** All fields but those named; names in lower case. */
export function withoutFields(fields: Fields, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const name = fields[index] ?? '';
    if (!names.has(name.toLowerCase())) kept.push(name, fields[index + 1] ?? '');
  }
  return kept;
}

const HOP_BY_HOP: readonly string[] = [
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
const HOP_BY_HOP_SET: ReadonlySet<string> = new Set(HOP_BY_HOP);

/** Naming these in Connection would not end a hop but take the message apart, or a login from it. */
const NEVER_NAMED: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'authorization',
  'cookie',
  'set-cookie',
]);

/** What concerns this connection alone stays on it, and with it every field that Connection names (RFC 9110 section 7.6.1). */
export function withoutHopByHop(fields: Fields): string[] {
  const named = fieldValues(fields, 'connection').flatMap(listMembers);
  const extra = named.filter((name) => !NEVER_NAMED.has(name) && !HOP_BY_HOP_SET.has(name));
  return withoutFields(fields, extra.length === 0 ? HOP_BY_HOP_SET : new Set([...HOP_BY_HOP, ...extra]));
}
