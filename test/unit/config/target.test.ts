import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTarget, targetUrl } from '../../../src/config/target.ts';

const tcp = (host: string, port: number, tls = false) => ({
  kind: 'value',
  value: { kind: 'tcp', tls, host, port },
});

describe('a target', () => {
  test.each([
    ['8000', tcp('localhost', 8000)],
    [':8000', tcp('localhost', 8000)],
    ['localhost:8000', tcp('localhost', 8000)],
    ['127.0.0.1:8000', tcp('127.0.0.1', 8000)],
    ['django:8000', tcp('django', 8000)],
    ['Django:8000', tcp('django', 8000)],
    ['my_service:8000', tcp('my_service', 8000)],
    ['[::1]:8000', tcp('::1', 8000)],
    ['http://localhost:3000', tcp('localhost', 3000)],
    ['HTTP://localhost:3000/', tcp('localhost', 3000)],
    ['http://django', tcp('django', 80)],
    ['https://example.org', tcp('example.org', 443, true)],
    ['https://[fd00::7]:8443', tcp('fd00::7', 8443, true)],
    ['unix:/run/app.sock', { kind: 'value', value: { kind: 'unix', path: '/run/app.sock' } }],
    ['unix:///run/app.sock', { kind: 'value', value: { kind: 'unix', path: '/run/app.sock' } }],
  ])('may be written %s', (text, expected) => {
    expect(parseTarget(text)).toEqual(expected);
  });

  test.each([
    ['', 'is empty'],
    ['django', 'has no port'],
    ['::1', 'has no port'],
    ['0', 'has an invalid port'],
    ['django:0', 'has an invalid port'],
    ['http://django:99999', 'has an invalid port'],
    ['ftp://django:21', 'has the scheme ftp'],
    ['ws://django:8000', 'has the scheme ws'],
    ['http://django:8000/api', 'contains a path'],
    ['django:8000/api', 'contains a path'],
    ['http://django:8000?debug=1', 'contains a query or a fragment'],
    ['http://django:8000/#top', 'contains a query or a fragment'],
    ['http://user:secret@django:8000', 'contains credentials'],
    ['http://', 'has no valid host name'],
    ['http://a b:80', 'has no valid host name'],
    ['http://django:80x', 'is not an address'],
    ['unix:app.sock', 'is not an absolute path'],
    [`unix:/${'x'.repeat(120)}`, 'is 121 bytes long, above the maximum of 103'],
  ])('written %j is refused: %s', (text, problem) => {
    expect(parseTarget(text)).toMatchObject({ kind: 'wrong', problem });
  });

  test('is shown as a URL that is read back unchanged', () => {
    for (const url of ['http://127.0.0.1:8000', 'https://[::1]:8443', 'unix:/run/app.sock']) {
      const read = parseTarget(url);
      expect(read.kind === 'value' && targetUrl(read.value)).toBe(url);
    }
  });

  test('of any text is read or refused, never thrown', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(['value', 'wrong']).toContain(parseTarget(text).kind);
      }),
    );
  });
});
