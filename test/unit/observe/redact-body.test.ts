/** Secrets within bodies, and that everything else stays as it is. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactBody } from '../../../src/observe/redact-body.ts';
import { redactUrl } from '../../../src/observe/redact.ts';

describe('a secret is taken out', () => {
  test.each([
    ['application/x-www-form-urlencoded', 'a=b&password=x%20y', 'a=b&password=[redacted]'],
    ['application/json', '{"token":"a\\"b","n":1}', '{"token":"[redacted]","n":1}'],
    ['application/json', '{ "api_key" : 123 }', '{ "api_key" : "[redacted]" }'],
    ['application/json', '{"refresh_token":"cut in the midd', '{"refresh_token":"[redacted]"'],
    ['text/html', '<input name=csrf value=abc>', '<input name=csrf value="[redacted]">'],
    ['text/html', "<INPUT TYPE='password' VALUE='a b'>", '<INPUT TYPE=\'password\' VALUE="[redacted]">'],
    ['text/html', '<a href="/x?a=1&amp;token=abc">', '<a href="/x?a=1&amp;token=[redacted]">'],
    [
      'multipart/form-data',
      '--b\r\nX; name="pin_token"\r\n\r\n12\r\n--b--',
      '--b\r\nX; name="pin_token"\r\n\r\n[redacted]\r\n--b--',
    ],
  ])('in %s: %s', (type, text, redacted) => {
    expect(redactBody(text, type)).toBe(redacted);
  });
});

describe('what is none stays', () => {
  test.each([
    ['application/json', '{"name":"token","monkey":"x","a":["password"]}'],
    ['text/html', '<input name="user" value="me"><p>password: see below</p>'],
    ['text/plain', 'a=b&c=d; token of thanks'],
    ['multipart/form-data', '--b\r\nX; name="file"\r\n\r\ntoken=1\r\n--b--'],
  ])('in %s: %s', (type, text) => {
    expect(redactBody(text, type)).toBe(text);
  });

  test('whatever the text, if no name in it promises a secret', () => {
    const harmless = fc.string({
      unit: fc.constantFrom(...'"{}:,<>=&?;\\ \r\n-bxy1'.split('')),
      maxLength: 300,
    });
    fc.assert(
      fc.property(
        harmless,
        fc.constantFrom('application/json', 'text/html', 'multipart/form-data'),
        (text, type) => {
          expect(redactBody(text, type)).toBe(text);
        },
      ),
    );
  });
});

test('what is redacted is not redacted again', () => {
  const pieces = [
    '"token":',
    '"a b"',
    '?token=',
    'x',
    '&',
    '<input name=csrf value=',
    '>',
    '{',
    ' ',
    '\r\n--',
    'name="pwd"',
    '\r\n\r\n',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (parts) => {
      const once = redactBody(parts.join(''), 'text/html');
      expect(redactBody(once, 'text/html')).toBe(once);
    }),
  );
});

test.each([
  '"',
  '\\"',
  '"a" ',
  '<input ',
  '?a=',
  '\r\n--',
  '"a":',
  'name="',
  '\\',
  "'",
  '&quot;',
  '"token":',
  '"token":[',
  '{"a":',
  '\\u0022',
  ';',
  '&',
  '?%22',
  'a=b\n',
  '--b\r\n',
  "'?a='",
  '://',
  '"{\\"a\\":\\"',
  '+',
  ' ',
  'a-',
  '"a=\\"{"',
])('64 KiB of %j are read in one go, not over and over', (piece) => {
  const text = piece.repeat(Math.ceil(65_536 / piece.length));
  const startedMs = performance.now();
  for (const type of [
    'text/html',
    'multipart/form-data',
    'application/x-www-form-urlencoded',
    'application/json',
    '',
  ])
    redactBody(text, type);
  redactUrl(`/?a=${text}`);
  // A quadratic rule takes minutes for this; the limit is no measure of speed.
  expect(performance.now() - startedMs).toBeLessThan(5000);
});
