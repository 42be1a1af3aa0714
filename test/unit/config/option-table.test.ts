import { expect, test } from 'vitest';
import { defaultOf, OPTIONS, propertyOf, TABLE, variableOf } from '../../../src/config/option-table.ts';

test.each(OPTIONS.map((option) => [option.name, option] as const))(
  'the default of %s, as it is shown, is read back as the default',
  (_, { setting }) => {
    expect(TABLE[setting].type.parse(defaultOf(setting))).toEqual({
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

test('a row is filed under the setting that it fills', () => {
  for (const [setting, row] of Object.entries(TABLE)) expect(row.setting).toBe(setting);
});

test('names are unique in every spelling', () => {
  for (const spell of [variableOf, propertyOf]) {
    expect(new Set(OPTIONS.map(({ name }) => spell(name))).size).toBe(OPTIONS.length);
  }
});
