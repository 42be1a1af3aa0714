import { expect, test } from 'vitest';
import { nearestName, withoutCredentials } from '../../../src/config/fault.ts';
import { OPTIONS } from '../../../src/config/options.ts';

const NAMES = OPTIONS.map(({ name }) => name);

test.each([
  ['prot', 'port'],
  ['retires', 'retries'],
  ['retry-method', 'retry-methods'],
  ['bodyHold', 'body-hold'],
  ['BODY_HOLD', 'body-hold'],
  ['body-hold-maximum', 'body-hold-max'],
  ['wait-for-upsteam', 'wait-for-upstream'],
  ['tls-certificate', 'tls-cert'],
  ['shutdown', 'shutdown-timeout'],
  ['memory', null],
  ['adm', null],
  ['x', null],
  ['verbose', null],
])('%s was meant to be %s', (written, meant) => {
  expect(nearestName(written, NAMES)).toBe(meant);
});

test('nothing is near when there are no names', () => {
  expect(nearestName('port', [])).toBeNull();
});

test('a value is quoted without its password', () => {
  expect(withoutCredentials('http://user:se:cr@et@django:8000/a@b')).toBe('http://***@django:8000/a@b');
  expect(withoutCredentials('user:secret@django:8000')).toBe('***@django:8000');
  expect(withoutCredentials('http://django:8000/a@b')).toBe('http://django:8000/a@b');
});
