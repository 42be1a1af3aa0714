import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../src/config/fault.ts';
import { resolveOptions } from '../../../src/config/resolve.ts';

function errorOf(options: object): ConfigError {
  try {
    resolveOptions(options);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('no fault was found');
}

describe('options of a program', () => {
  test('may all be left out', () => {
    expect(resolveOptions({})).toMatchObject({ port: 8080, bodyHoldMs: 100 });
  });
  test('a number is ms or bytes, a text has its unit', () => {
    expect(
      resolveOptions({ bodyHold: 250, bodyHoldMax: '3s', memoryPerBody: 1024, memoryTotal: '1mb' }),
    ).toMatchObject({
      bodyHoldMs: 250,
      bodyHoldMaxMs: 3000,
      memoryPerBodyBytes: 1024,
      memoryTotalBytes: 1024 ** 2,
    });
  });
  test('undefined means the default', () => {
    expect(resolveOptions({ port: undefined, target: undefined }).port).toBe(8080);
  });
  test('lists, switches, nulls and targets are taken as they are', () => {
    expect(
      resolveOptions({ stream: ['/events/'], admin: false, socket: null, target: 'unix:/run/app.sock' }),
    ).toMatchObject({
      stream: ['/events/'],
      admin: false,
      socketPath: null,
      target: { kind: 'unix', path: '/run/app.sock' },
    });
  });
  test('are frozen once they are settings', () => {
    expect(Object.isFrozen(resolveOptions({}))).toBe(true);
  });
});

describe('wrong options of a program', () => {
  test('are all in one error', () => {
    const error = errorOf({ port: 70_000, bodyHold: '30', retries: 2.5 });
    expect(error).toMatchObject({ name: 'ConfigError', code: 'ERR_LASTBYTE_CONFIG' });
    expect(error.faults.map(({ option }) => option)).toEqual(['port', 'body-hold', 'retries']);
    expect(error.message.split('\n')).toEqual([
      'options.port: "70000" is above the maximum of 65535. Use 0 to 65535.',
      'options.bodyHold: "30" has no unit. Write 30s for seconds or 30ms for milliseconds.',
      'options.retries: "2.5" is not a whole number. Write digits only.',
    ]);
  });
  test.each([Number.NaN, -1, Infinity])('%s is no time', (bodyHold) => {
    expect(errorOf({ bodyHold }).message).toContain('is not a time');
  });
  test('an unknown one is answered with the nearest', () => {
    expect(errorOf({ bodyhold: 1 }).message).toBe(
      'options.bodyhold: is not a property of lastbyte. Did you mean bodyHold?',
    );
  });
});
