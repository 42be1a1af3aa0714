/** Formats JSON without parsing it: numbers, escapes and duplicate names do not change. */

/** @param {string} text @returns {string | null} null: it is not JSON */
export function prettyJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return laidOut(text);
}

/** A string, a punctuation mark, or a number or word; between them is whitespace. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** @param {string} text */
function laidOut(text) {
  const tokens = text.match(TOKENS) ?? [];
  let depth = 0;
  let shown = '';
  for (const [at, token] of tokens.entries()) {
    const opens = token === '{' || token === '[';
    const closes = token === '}' || token === ']';
    const before = tokens[at - 1];
    const isEmpty = closes && (before === '{' || before === '[');
    if (closes) depth -= 1;
    if (closes && !isEmpty) shown += line(depth);
    shown += token;
    if (opens) depth += 1;
    const next = tokens[at + 1];
    if (token === ',' || (opens && next !== '}' && next !== ']')) shown += line(depth);
    else if (token === ':') shown += ' ';
  }
  return shown;
}

/** @param {number} depth */
function line(depth) {
  return `\n${'  '.repeat(depth)}`;
}
