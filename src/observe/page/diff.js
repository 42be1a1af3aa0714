/** The difference between two texts, line by line. Pure. */

/** @typedef {{ readonly kind: 'same' | 'gone' | 'new', readonly text: string }} DiffLine */

/** The limit for the table of the longest common subsequence: above it, everything counts as changed. */
const MAX_CELLS = 4_000_000;

/** @param {readonly string[]} from @param {readonly string[]} to @returns {DiffLine[]} */
export function diffLines(from, to) {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start += 1;
  let end = 0;
  while (
    end < from.length - start &&
    end < to.length - start &&
    from[from.length - 1 - end] === to[to.length - 1 - end]
  )
    end += 1;
  const changed = middle(from.slice(start, from.length - end), to.slice(start, to.length - end));
  return [...as('same', from.slice(0, start)), ...changed, ...as('same', from.slice(from.length - end))];
}

/** @param {DiffLine['kind']} kind @param {readonly string[]} texts @returns {DiffLine[]} */
function as(kind, texts) {
  return texts.map((text) => ({ kind, text }));
}

/** @param {readonly string[]} from @param {readonly string[]} to @returns {DiffLine[]} */
function middle(from, to) {
  if (from.length * to.length > MAX_CELLS || from.length === 0 || to.length === 0)
    return [...as('gone', from), ...as('new', to)];
  const width = to.length + 1;
  const lengths = commonLengths(from, to, width);
  /** @type {DiffLine[]} */
  const lines = [];
  let at = 0;
  let other = 0;
  while (at < from.length || other < to.length) {
    const [old, young] = [from[at], to[other]];
    const below = at < from.length ? (lengths[(at + 1) * width + other] ?? 0) : -1;
    const beside = other < to.length ? (lengths[at * width + other + 1] ?? 0) : -1;
    if (old !== undefined && old === young) {
      lines.push({ kind: 'same', text: old });
      at += 1;
      other += 1;
    } else if (old !== undefined && below >= beside) {
      lines.push({ kind: 'gone', text: old });
      at += 1;
    } else if (young !== undefined) {
      lines.push({ kind: 'new', text: young });
      other += 1;
    }
  }
  return lines;
}

/** Of the longest common subsequence from each pair of lines on. @param {readonly string[]} from @param {readonly string[]} to @param {number} width */
function commonLengths(from, to, width) {
  const lengths = new Uint32Array((from.length + 1) * width);
  for (let at = from.length - 1; at >= 0; at -= 1) {
    for (let other = to.length - 1; other >= 0; other -= 1) {
      const cell = at * width + other;
      lengths[cell] =
        from[at] === to[other]
          ? (lengths[cell + width + 1] ?? 0) + 1
          : Math.max(lengths[cell + width] ?? 0, lengths[cell + 1] ?? 0);
    }
  }
  return lengths;
}
