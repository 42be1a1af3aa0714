import { expect, test } from 'vitest';
import { nearestName } from '../../../src/config/fault.ts';
import { OPTIONS } from '../../../src/config/option-table.ts';

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
