/** Whether the client of a failed exchange is a person at a browser. */

import { listMembers, trimOws } from './fields.ts';

const PAGES: readonly string[] = ['text/html', 'application/xhtml+xml'];
const DOCUMENTS: readonly string[] = ['application/problem+json', 'application/json'];

/**
 * True when the Accept field names HTML, and no JSON that it likes better (RFC 9110 section 12.5.1). A wildcard names
 * nothing: curl and fetch send it, and their users read JSON more easily than HTML.
 */
export function prefersHtml(accept: string | undefined): boolean {
  const ranges = listMembers(accept ?? '');
  const html = bestWeight(ranges, PAGES);
  return html > 0 && html >= bestWeight(ranges, DOCUMENTS);
}

function bestWeight(ranges: readonly string[], types: readonly string[]): number {
  return Math.max(0, ...ranges.filter((range) => types.includes(mediaType(range))).map(weight));
}

function mediaType(range: string): string {
  return trimOws(range.replace(/;.*$/, ''));
}

/** 1 when it is not given; what is no weight at all weighs nothing. */
function weight(range: string): number {
  const given = /;[ \t]*q[ \t]*=([^;]*)/.exec(range);
  if (given === null) return 1;
  const value = trimOws(
    range
      .slice(given.index)
      .replace(/^[^=]*=/, '')
      .replace(/;.*$/, ''),
  );
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(value) ? Number(value) : 0;
}
