import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultText, originText } from '../../../src/config/fault.ts';
import { loadSettings } from '../../../src/config/resolve.ts';
import type { Sources } from '../../../src/config/resolve.ts';
import type { SettingName } from '../../../src/config/settings.ts';
import type { Settings } from '../../../src/config/settings.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lastbyte-load-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function load(sources: Partial<Sources>) {
  return loadSettings({ flags: {}, env: {}, file: null, ...sources });
}

function settingsOf(sources: Partial<Sources>): Settings {
  const result = load(sources);
  if (result.kind === 'faults') throw new Error(result.faults.map(faultText).join('\n'));
  return result.settings;
}

function faultsOf(sources: Partial<Sources>): readonly string[] {
  const result = load(sources);
  return result.kind === 'faults'
    ? result.faults.map((fault) => faultText(fault).replace(`${folder}/`, ''))
    : [];
}

function originOf(sources: Partial<Sources>, setting: SettingName): string {
  const result = load(sources);
  const origin = result.kind === 'settings' ? result.provenance.get(setting) : undefined;
  return origin === undefined ? 'nowhere' : originText(origin).replace(`${folder}/`, '');
}

describe('precedence', () => {
  test('without any source, every setting has its default', () => {
    const settings = settingsOf({});
    expect(settings).toMatchObject({
      port: 8080,
      bodyHoldMs: 100,
      memoryPerBodyBytes: 16 * 1024 ** 2,
      admin: true,
    });
    expect(originOf({}, 'port')).toBe('default');
  });

  test('a flag counts before a variable, a variable before the file, the file before the default', () => {
    const file = fileOf('order.yaml', '# four sources\nport: 1001\nretries: 5\nbody-hold: 3s\n');
    const sources = {
      flags: { port: '1003' },
      env: { LASTBYTE_PORT: '1002', LASTBYTE_RETRIES: '7' },
      file,
    };
    expect(settingsOf(sources)).toMatchObject({ port: 1003, retries: 7, bodyHoldMs: 3000, maxWaiting: 256 });
    expect(originOf(sources, 'port')).toBe('--port');
    expect(originOf(sources, 'retries')).toBe('LASTBYTE_RETRIES');
    expect(originOf(sources, 'bodyHoldMs')).toBe('order.yaml:4');
    expect(originOf(sources, 'maxWaiting')).toBe('default');
  });

  test('the target may stand without its flag', () => {
    const sources = { target: '9000' };
    expect(settingsOf(sources).target).toEqual({ kind: 'tcp', tls: false, host: 'localhost', port: 9000 });
    expect(originOf(sources, 'target')).toBe('argument target');
  });

  test('LASTBYTE_CONFIG names the file when --config does not', () => {
    const env = { LASTBYTE_CONFIG: fileOf('by-variable.yaml', 'retries: 1\n') };
    expect(settingsOf({ env }).retries).toBe(1);
    expect(settingsOf({ env, file: fileOf('by-flag.yaml', 'retries: 3\n') }).retries).toBe(3);
  });

  test('an overridden value is checked all the same', () => {
    const file = fileOf('overridden.yaml', 'port: many\n');
    expect(faultsOf({ flags: { port: '1003' }, file })).toEqual([
      'overridden.yaml:1: port "many" is not a whole number. Write digits only.',
    ]);
  });
});

test('the settings are frozen to the bottom', () => {
  const settings = settingsOf({ flags: { stream: '/events/' } });
  expect(Object.isFrozen(settings)).toBe(true);
  expect(Object.isFrozen(settings.target)).toBe(true);
  expect(Object.isFrozen(settings.stream)).toBe(true);
  expect(Object.isFrozen(settings.retryMethods)).toBe(true);
});

test('everything that is wrong is told at once, each with its place and its remedy', () => {
  const file = fileOf('wrong.yaml', 'port: 99999\nretires: 3\nadmin: maybe\n');
  const faults = faultsOf({
    flags: { 'body-hold': '30' },
    env: { LASTBYTE_MAX_WAITNG: '1' },
    file,
  });
  expect(faults).toEqual([
    'LASTBYTE_MAX_WAITNG: is not a variable of lastbyte. Did you mean LASTBYTE_MAX_WAITING?',
    'wrong.yaml:2: retires is not a key of lastbyte. Did you mean retries?',
    'wrong.yaml:1: port "99999" is above the maximum of 65535. Use 0 to 65535.',
    'wrong.yaml:3: admin "maybe" is neither true nor false. Write true or false.',
    '--body-hold: "30" has no unit. Write 30s for seconds or 30ms for milliseconds.',
  ]);
});

test('a password is not repeated in a fault', () => {
  const [fault = ''] = faultsOf({ flags: { target: 'http://user:secret@django:8000' } });
  expect(fault).toContain('contains credentials');
  expect(fault).not.toContain('secret');
});

describe('flags', () => {
  test('a switch is turned off by its --no- form', () => {
    expect(settingsOf({ flags: { admin: false } }).admin).toBe(false);
    expect(originOf({ flags: { admin: false } }, 'admin')).toBe('--no-admin');
  });
  test('a repeated list adds up', () => {
    expect(settingsOf({ flags: { stream: ['/a/', '/b/,text/x-log'] } }).stream).toEqual([
      '/a/',
      '/b/',
      'text/x-log',
    ]);
  });
  test.each([
    [{ port: ['1', '2'] }, '--port: "1, 2" is more than one value. Write exactly one.'],
    [{ port: true }, '--port: has no value. Add one, or leave the option out.'],
  ])('%j is a fault', (flags, fault) => {
    expect(faultsOf({ flags })).toEqual([fault]);
  });
  test('two targets are a fault', () => {
    expect(faultsOf({ flags: { target: '9001' }, target: '9000' })).toEqual([
      '--target: "9001" conflicts with argument target 9000. Keep one of them.',
    ]);
  });
});

describe('variables', () => {
  test('an empty one counts as not given', () => {
    expect(originOf({ env: { LASTBYTE_PORT: '' } }, 'port')).toBe('default');
  });
  test('those by which Kubernetes describes a service named lastbyte are passed over', () => {
    const env = {
      LASTBYTE_SERVICE_HOST: '10.0.0.11',
      LASTBYTE_SERVICE_PORT: '8080',
      LASTBYTE_SERVICE_PORT_HTTP: '8080',
      LASTBYTE_PORT: 'tcp://10.0.0.11:8080',
      LASTBYTE_PORT_8080_TCP: 'tcp://10.0.0.11:8080',
      LASTBYTE_PORT_8080_TCP_ADDR: '10.0.0.11',
    };
    expect(settingsOf({ env }).port).toBe(8080);
  });
  test('a switch has no negated one', () => {
    expect(faultsOf({ env: { LASTBYTE_NO_ADMIN: '1' } })).toEqual([
      'LASTBYTE_NO_ADMIN: is not a variable of lastbyte. To turn it off, write LASTBYTE_ADMIN=false.',
    ]);
  });
});
