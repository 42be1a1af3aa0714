/** The few keywords of JSON Schema that config/schema.json uses; any other keyword is an error. */

type Check = (limit: unknown, value: unknown, schema: Schema) => boolean;
type Schema = Readonly<Record<string, unknown>>;

const ANNOTATIONS = new Set(['$schema', 'title', 'description', 'default', 'properties']);

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['type', (types, value) => [types].flat().includes(typeOf(value))],
  ['enum', (words, value) => Array.isArray(words) && words.includes(value)],
  ['pattern', (pattern, value) => typeof value !== 'string' || new RegExp(String(pattern), 'u').test(value)],
  ['minimum', (limit, value) => typeof value !== 'number' || value >= Number(limit)],
  ['maximum', (limit, value) => typeof value !== 'number' || value <= Number(limit)],
  ['minLength', (limit, value) => typeof value !== 'string' || value.length >= Number(limit)],
  [
    'items',
    (items, value) => !Array.isArray(value) || value.every((item) => violations(items, item).length === 0),
  ],
  [
    'additionalProperties',
    (_, value, { properties }) =>
      isSchema(properties) && isSchema(value) && Object.keys(value).every((key) => key in properties),
  ],
]);

/** The keywords that `value` violates, each with where it does. */
export function violations(schema: unknown, value: unknown, at = ''): readonly string[] {
  if (!isSchema(schema)) throw new Error(`no schema at ${at}`);
  const here = Object.entries(schema).filter(([keyword, limit]) => {
    if (ANNOTATIONS.has(keyword)) return false;
    const check = CHECKS.get(keyword);
    if (check === undefined) throw new Error(`the keyword ${keyword} is not known here`);
    return !check(limit, value, schema);
  });
  const { properties } = schema;
  const below =
    isSchema(properties) && isSchema(value)
      ? Object.entries(value).flatMap(([key, part]) =>
          key in properties ? violations(properties[key], part, `${at}/${key}`) : [],
        )
      : [];
  return [...here.map(([keyword]) => `${at}: ${keyword}`), ...below];
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
