/** Reads a configuration file, YAML or JSON, with the line of each value; and writes one, with a comment on each option. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, relative } from 'node:path';
import type * as Yaml from 'yaml';
import { pathProblem } from './fault.ts';
import type { Fault, Origin } from './fault.ts';
import { GROUPS } from './options.ts';
import type { AnyOption } from './options.ts';
import type { ConfigValue } from './types.ts';
import { collect, entryOf } from './sources.ts';
import type { Collected, RawValue, Vocabulary } from './sources.ts';

export interface FileSource {
  readonly path: string;
  /** `--config`, or its variable. */
  readonly namedBy: Origin;
}

/** Editors find the schema by this key. */
const SCHEMA_KEY = '$schema';

interface Text {
  readonly file: string;
  readonly document: Yaml.Document.Parsed;
  readonly lines: Yaml.LineCounter;
}

const require = createRequire(import.meta.url);

/** Loaded with the first file: most starts read none, and need not wait for the library. */
function yaml(): typeof Yaml {
  const library: typeof Yaml = require('yaml');
  return library;
}

export function collectFile(source: FileSource): Collected {
  const content = contentOf(source);
  if (content.kind === 'fault') return { values: [], faults: [content.fault] };
  const file = shownPath(source.path);
  const broken = extname(source.path).toLowerCase() === '.json' ? brokenJson(content.text, file) : null;
  if (broken !== null) return { values: [], faults: [broken] };
  const { LineCounter, parseDocument } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(content.text, { lineCounter: lines, prettyErrors: false });
  return collectDocument({ file, document, lines });
}

type Content =
  { readonly kind: 'text'; readonly text: string } | { readonly kind: 'fault'; readonly fault: Fault };

function contentOf({ path, namedBy }: FileSource): Content {
  try {
    return { kind: 'text', text: readFileSync(path, 'utf8') };
  } catch (cause) {
    const problem = pathProblem(cause);
    const remedy = 'Write the path of a YAML or JSON file';
    return { kind: 'fault', fault: { option: 'config', value: path, origin: namedBy, problem, remedy } };
  }
}

/** A path under the current folder is shown without it. */
function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') ? path : near;
}

/** A `.json` file must be JSON, for other programs that read it. The YAML parser then reads it, for the line numbers. */
function brokenJson(text: string, file: string): Fault | null {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return null;
  } catch (cause) {
    const problem = `is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`;
    const remedy = 'Fix it, or rename the file to .yaml';
    return { option: file, value: null, origin: { kind: 'file', file, line: null }, problem, remedy };
  }
}

function collectDocument(text: Text): Collected {
  const { document, file } = text;
  const { isMap, isScalar } = yaml();
  if (document.errors.length > 0) return { values: [], faults: syntaxFaults(text) };
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === null)) return { values: [], faults: [] };
  if (isMap(root)) return collect(root.items.map((pair) => collectPair(pair, text)));
  const problem = 'is not a mapping of options to values';
  const remedy = 'Write one option per line, such as port: 8080';
  return { values: [], faults: [{ option: file, value: null, origin: originAt(text, 0), problem, remedy }] };
}

function syntaxFaults(text: Text): readonly Fault[] {
  return text.document.errors.map(({ message, pos, code }) => ({
    option: text.file,
    value: null,
    origin: originAt(text, pos[0]),
    problem: code === 'DUPLICATE_KEY' ? 'sets an option twice' : `is not YAML: ${message}`,
    remedy: code === 'DUPLICATE_KEY' ? 'Keep one of them' : 'Fix the line, or put the value in quotes',
  }));
}

const KEYS: Vocabulary = {
  spelling: 'name',
  noun: 'key',
  turnOff: (name) => `${name}: false`,
  list: 'The keys are the flags from lastbyte --help, without the dashes',
};

function collectPair(pair: Yaml.Pair, text: Text): RawValue | Fault | null {
  const { isScalar } = yaml();
  const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
  if (key === SCHEMA_KEY) return null;
  const offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
  return entryOf(key, valueOf(pair, text), originAt(text, offset), KEYS);
}

function valueOf({ value }: Yaml.Pair, text: Text): unknown {
  if (!yaml().isNode(value)) return value;
  const plain: unknown = value.toJS(text.document);
  return plain;
}

function originAt(text: Text, offset: number): Origin {
  return { kind: 'file', file: text.file, line: Math.max(1, text.lines.linePos(offset).line) };
}

/**
 * A file that holds every option: config/default.yaml, and what `lastbyte init` writes.
 *
 * @param lineOf the line of one option, below its purpose
 */
export function commentedFile(header: string, lineOf: (option: AnyOption) => string): string {
  const sections = GROUPS.map(({ title, options }) => {
    const lines = options.flatMap((option) => [`# ${option.purpose}`, lineOf(option)]);
    return `# --- ${title} ---\n\n${lines.join('\n')}\n`;
  });
  return [header, ...sections].join('\n');
}

/** `retry-methods: [GET, HEAD]`, without a line end. */
export function yamlLine(name: string, value: ConfigValue): string {
  const options = { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 } as const;
  return `${name}: ${yaml().stringify(value, options).trimEnd()}`;
}
