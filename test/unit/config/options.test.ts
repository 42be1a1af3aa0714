import { expect, test } from 'vitest';
import { nameOf, OPTIONS, TABLE } from '../../../src/config/options.ts';

test.each(OPTIONS.map((option) => [option.name, option] as const))(
  'the default of %s, as it is shown, is read back as the default',
  (_, option) => {
    const { setting } = option;
    expect(TABLE[setting].type.parse(option.default)).toEqual({
      kind: 'value',
      value: TABLE[setting].default,
    });
  },
);

test('every purpose is one sentence that fits a line of help', () => {
  for (const { purpose } of OPTIONS) {
    expect(purpose).toMatch(/^[A-Z].*\.$/);
    expect(purpose.length).toBeLessThanOrEqual(100);
  }
});

test('a name is its setting without the unit, which belongs to the value', () => {
  expect(nameOf('bodyHoldMs')).toBe('body-hold');
  expect(nameOf('memoryPerBodyBytes')).toBe('memory-per-body');
  expect(nameOf('socketPath')).toBe('socket');
  expect(OPTIONS.find(({ name }) => name === 'body-hold')).toMatchObject({
    setting: 'bodyHoldMs',
    variable: 'LASTBYTE_BODY_HOLD',
    property: 'bodyHold',
  });
  expect(OPTIONS.map(({ setting }) => setting).sort()).toEqual(Object.keys(TABLE).sort());
});

test('names are unique in every spelling', () => {
  for (const spelling of ['name', 'variable', 'property'] as const) {
    expect(new Set(OPTIONS.map((option) => option[spelling])).size).toBe(OPTIONS.length);
  }
});
