/** Which rows are shown. It has the names of the API's parameters, so the address and the HAR link share them. */

/** @import { Row } from '../inspector/types.ts' */

export const FILTER_NAMES = ['text', 'path', 'status', 'verdict', 'problems'];

/**
 * @param {URLSearchParams} wanted
 * @returns {(row: Row) => boolean}
 */
export function rowTest(wanted) {
  /** @type {((row: Row) => boolean)[]} */
  const tests = [];
  const [text, path, status, verdict, problems] = FILTER_NAMES.map((name) => wanted.get(name) ?? '');
  if (text) tests.push(textTest(text.toLowerCase()));
  if (path) {
    const pattern = pathPattern(path);
    tests.push((row) => pattern.test(row.path));
  }
  if (status) tests.push((row) => row.status !== null && status.startsWith(String(row.status)[0] ?? ''));
  if (verdict) tests.push((row) => row.verdict === verdict);
  if (problems) tests.push(({ severity }) => severity !== 'ok' && severity !== 'running');
  return (row) => tests.every((test) => test(row));
}

/**
 * @param {string} wanted
 * @returns {(row: Row) => boolean}
 */
function textTest(wanted) {
  return ({ method, path, status, client, verdict, outcome, error, why, type }) =>
    [method, path, String(status ?? ''), client, verdict, outcome, error, why, type].some(
      (text) => text?.toLowerCase().includes(wanted) === true,
    );
}

/** The beginning of a path, with `*` for anything. @param {string} path */
function pathPattern(path) {
  const parts = path.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}`);
}

/** The same for the API; a path that does not begin with / is none there. @param {URLSearchParams} wanted */
export function apiQuery(wanted) {
  const query = new URLSearchParams();
  for (const name of FILTER_NAMES) {
    const value = wanted.get(name);
    if (value) query.set(name, name === 'path' && !value.startsWith('/') ? `/${value}` : value);
  }
  return query.size === 0 ? '' : `?${query}`;
}
