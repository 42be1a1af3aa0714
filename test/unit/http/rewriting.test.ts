import { describe, expect, test } from 'vitest';
import { parseRequest } from '../../../src/http/request.ts';
import { rewrittenRequest } from '../../../src/http/rewriting.ts';
import type { Rewriting, Rewritten } from '../../../src/http/rewriting.ts';

const request = parseRequest({
  method: 'GET',
  url: '/api/items?page=2',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'x', 'X-Team', 'theirs', 'Accept', '*/*'],
});

function rewritten(changes: Partial<Rewriting>, url = request.url): Rewritten {
  return rewrittenRequest(request, url, { path: null, fields: [], ...changes });
}

describe('a request', () => {
  test('that no rule changes goes on with what is left of its path', () => {
    expect(rewritten({}, '/items?page=2')).toEqual({
      request: { ...request, target: '/items?page=2' },
      fault: null,
    });
  });

  test('gets the path that its rule makes of it, and keeps its own url', () => {
    const { request: changed, fault } = rewritten({ path: (path) => path.replace('/api', '/v1') });
    expect([changed.target, changed.url, fault]).toEqual(['/v1/items?page=2', '/api/items?page=2', null]);
  });

  test('of all of the server has no path to be rewritten', () => {
    const options = { ...request, method: 'OPTIONS', url: '*' };
    const path = (): string => '/never';
    expect(rewrittenRequest(options, '*', { path, fields: [] }).request.target).toBe('*');
  });

  test('has the fields of its rule in the place of its own of these names', () => {
    const { fields } = rewritten({ fields: ['x-team', 'ours', 'X-New', '1'] }).request;
    expect(fields).toEqual(['Host', 'x', 'Accept', '*/*', 'x-team', 'ours', 'X-New', '1']);
    expect(request.fields).toContain('theirs');
  });
});

describe('a rule', () => {
  test.each([
    [
      'that throws',
      () => {
        throw new Error('no such table');
      },
      'no such table',
    ],
    [
      'that throws a string',
      () => {
        throw 'a string';
      },
      'a string',
    ],
    ['whose path has a space', () => '/a b', 'cannot be sent as a path'],
    ['whose path ends the line', () => '/a\r\nX: y', 'cannot be sent as a path'],
    ['whose path is relative', () => 'items', 'begin with "/"'],
    ['that returns nothing', () => JSON.parse('null'), 'no text, but object'],
  ])('%s is a fault of its own, and the request keeps its path', (_name, path, words) => {
    const { request: kept, fault } = rewritten({ path });
    expect(fault?.code).toBe('internal_error');
    expect(fault?.message).toContain(words);
    expect(kept.target).toBe('/api/items?page=2');
  });
});
