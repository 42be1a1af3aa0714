import { expect, test } from 'vitest';
import { isSafe, mayRetry } from '../../../src/http/request.ts';

test.each([
  ['GET', true],
  ['HEAD', true],
  ['OPTIONS', true],
  ['TRACE', true],
  ['POST', false],
  ['PUT', false],
  ['get', false],
])('%s is safe: %s', (method, safe) => {
  expect(isSafe(method)).toBe(safe);
});

test.each<[method: string, fields: readonly string[], methods: readonly string[], retried: boolean]>([
  ['GET', [], ['GET', 'PUT'], true],
  ['PUT', [], ['GET', 'PUT'], true],
  ['POST', [], ['GET', 'PUT'], false],
  ['GET', [], [], false],
  ['POST', ['idempotency-KEY', '"8e03978e"'], ['GET'], true],
  ['POST', ['Idempotency-Key', ''], ['GET'], false],
  ['POST', ['Idempotency-Key', '""'], ['GET'], false],
])('%s with %j may be sent again when %j are retried: %s', (method, fields, methods, retried) => {
  expect(mayRetry(method, fields, methods)).toBe(retried);
});
