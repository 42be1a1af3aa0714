/** JSON laid out for reading. No value is read and written again: numbers, escapes and duplicate names stay as they came. */

/** @param {string} text @returns {string | null} null: it is not JSON */
export function prettyJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return laidOut(text);
}

/** A string, a mark, or a number or word; what is between is space. */
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
