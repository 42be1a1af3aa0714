/** Secrets that are planted under telling names, in every format and in formats within formats, are not shown: neither whole nor cut. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactBody } from '../../../src/observe/redact-body.ts';
import { redactFields, redactUrl } from '../../../src/observe/redact.ts';

/** Stands nowhere else; a secret is this with anything around it. */
const CORE = 'gEhEim';
/** Enough of it to be recognised. */
const SHOWN = 'gEh';

describe('a body', () => {
  test.each([
    ['a JSON array', 'application/json', `{"tokens":["a","${CORE}"],"n":1}`],
    ['a JSON object', 'application/json', `{"credentials":{"user":"me","p":{"q":"${CORE}"}},"n":1}`],
    ['an object that is cut', 'application/json', `{"session":{"user":"me","p":["${CORE}`],
    [
      'JSON in a JSON string',
      'application/json',
      JSON.stringify({ body: JSON.stringify({ password: CORE }) }),
    ],
    [
      'three deep',
      'application/json',
      JSON.stringify([JSON.stringify([JSON.stringify({ token: `"${CORE}` })])]),
    ],
    ['a name with escapes', 'application/json', `{"pass\\u0077ord":"${CORE}"}`],
    ['a name of nothing but escapes', '', `{"\\u0074\\u006f\\u006b\\u0065\\u006e":"${CORE}"}`],
    [
      'escapes in JSON in JSON',
      'application/json',
      JSON.stringify({ a: `{"pass\\u0077ord":"x\\"${CORE}"}` }),
    ],
    ['a form in a JSON string', 'application/json', JSON.stringify({ data: `user=me&password=${CORE}` })],
    [
      'a link in a JSON string',
      'application/json',
      `{"next":"https:\\/\\/a.test\\/?a=1\\u0026token=${CORE}"}`,
    ],
    ['the password of a user in a link', 'application/json', `{"dsn":"postgres://me:${CORE}@db/x"}`],
    ['JSON without its type', '', `{"a": 1, "password": "${CORE}"}`],
    ['lines of JSON', 'application/x-ndjson', `{"a":"}"}\n{"password":"${CORE}"}\n`],
    ['a form without its type', '', `user=me&password=${CORE}&x=1`],
    ['a form that says it is text', 'text/plain', `password=${CORE} and more&x=1`],
    ['a form of lines', 'text/plain', `user=me\r\npassword=${CORE}\r\n`],
    ['a form with unescaped marks', 'application/x-www-form-urlencoded', `password=a?b#c;d=${CORE}&x=1`],
    [
      'JSON in a form',
      'application/x-www-form-urlencoded',
      `variables=${encodeURIComponent(`{"password":"${CORE}"}`)}`,
    ],
    [
      'JSON in a form, not escaped',
      'application/x-www-form-urlencoded',
      `variables={"password":"a;${CORE}"}`,
    ],
    ['SAML', 'application/x-www-form-urlencoded', `RelayState=x&SAMLResponse=${CORE}`],
    [
      'OAuth',
      'application/x-www-form-urlencoded',
      `client_assertion=${CORE}&code_verifier=${CORE}&pwd=${CORE}`,
    ],
    [
      'multipart with a bare name',
      'multipart/form-data',
      `--b\r\nContent-Disposition: form-data; name=password\r\n\r\n${CORE}\r\n--b--`,
    ],
    [
      'multipart with an escaped name',
      'multipart/form-data',
      `--b\r\nContent-Disposition: form-data; name*=UTF-8''pass%77ord\r\n\r\n${CORE}\r\n--b--`,
    ],
    [
      'multipart with dashes in the secret',
      'multipart/form-data',
      `--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nx\r\n--${CORE}\r\n--b--`,
    ],
    [
      'multipart without its type',
      '',
      `--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n${CORE}\r\n--b--`,
    ],
    [
      'multipart with bare line ends',
      'multipart/form-data',
      `--b\nContent-Disposition: form-data; name="password"\n\n${CORE}\n--b--`,
    ],
    [
      'JSON in a part',
      'multipart/form-data',
      `--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{"variables":{"password":["${CORE}"]}}\r\n--b--`,
    ],
    ['a dict of Python', 'text/html', `<pre>{'user': 'me', 'password': '${CORE}'}</pre>`],
    ['a hash of Ruby', 'text/plain', `Parameters: {"user"=>"me", "password"=>"${CORE}"}`],
    [
      'JSON in an attribute',
      'text/html',
      `<div data-props="{&quot;token&quot;:&quot;a\\&quot;${CORE}&quot;}">`,
    ],
    ['an attribute', 'text/html', `<form data-csrf-token="${CORE}">`],
    ['a script', 'text/html', `<script>const csrfToken = '${CORE}'; x({apiKey: "${CORE}"})</script>`],
    [
      'a string of a script',
      'text/html',
      `<script>JSON.parse("{\\u0022token\\u0022: \\u0022${CORE}\\u0022}")</script>`,
    ],
    ['a link with JSON', 'text/html', `<a href="/?a=1&amp;variables=%7B%22password%22%3A%22${CORE}%22%7D">`],
  ])('of %s', (_what, type, text) => {
    expect(redactBody(text, type)).not.toContain(SHOWN);
  });
});

describe('a URL', () => {
  test.each([
    `/?variables={"password":"${CORE}"}`,
    `/?variables={"a":"x;y?z","password":"${CORE}"}`,
    `/?variables=%7B%22a%22:%22b;c%22,%22password%22:%22${CORE}%22%7D`,
    `/?variables=${encodeURIComponent(JSON.stringify({ a: JSON.stringify({ password: CORE }) }))}`,
    `/?token=a?${CORE}`,
    `/?token=a#${CORE}`,
    `/?token=a;${CORE}`,
    `/a;jsessionid=${CORE}/b`,
    `/?SAMLResponse=${CORE}&code_verifier=${CORE}&client_assertion=${CORE}&user[pwd]=${CORE}&login.pin=${CORE}`,
    `/?data=${encodeURIComponent(`password=${CORE}&a=1`)}`,
    `/?to+ken=1&pass%77ord=${CORE}`,
    `https://me:${CORE}@a.test/#id_token=${CORE}`,
  ])('%s', (url) => {
    expect(redactUrl(url)).not.toContain(SHOWN);
  });
});

describe('a header field', () => {
  test.each<readonly [name: string, value: string]>([
    ...[
      'HX-Current-URL',
      'HX-Redirect',
      'HX-Push-Url',
      'X-Rewrite-URL',
      'Next-Url',
      'Location',
      'Content-Location',
      'Referer',
      'Turbo-Location',
      'X-Inertia-Location',
      'X-Forwarded-Uri',
      'X-Original-URL',
      'X-Accel-Redirect',
      'Destination',
      'Origin',
    ].map((name) => [name, `https://me:${CORE}@a.test/x?a=1&token=${CORE}#access_token=${CORE}`] as const),
    ['Link', `</x?token=${CORE}>; rel="next"`],
    ['Refresh', `0; url=/x?token=${CORE}`],
    ['HX-Location', `{"path":"/x?a=1","values":{"password":"${CORE}"}}`],
    ['X-Auth-Key', CORE],
    ['X-OTP', CORE],
    ['Ocp-Apim-Subscription-Key', CORE],
    ['X-Functions-Key', CORE],
    ['X-Appwrite-Key', CORE],
    ['Set-Cookie', `a=${CORE}; Path=/`],
    ['Set-Cookie2', `a=${CORE}; Path=/`],
    ['Proxy-Authorization', `Basic ${CORE}`],
    ['X-Forwarded-Authorization', `Basic ${CORE}`],
    ['Sec-WebSocket-Protocol', `base64url.bearer.authorization.k8s.io.${CORE}, v4`],
    ['X-Goog-Iap-Jwt-Assertion', CORE],
  ])('%s: %s', (name, value) => {
    expect(redactFields([name, value]).join()).not.toContain(SHOWN);
  });

  test.each([
    ['Access-Control-Allow-Credentials', 'true'],
    ['X-Cache-Key', 'a'],
    ['Sec-WebSocket-Protocol', 'graphql-transport-ws, v4'],
    ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)'],
    ['Content-Type', 'multipart/form-data; boundary="a=b;token"'],
    ['Content-Disposition', 'attachment; filename="token.txt"'],
    ['WWW-Authenticate', 'Bearer realm="a", error="invalid_token", error_description="no such token"'],
    ['Cache-Control', 'max-age=0, must-revalidate'],
    ['Link', '</a.css?v=1>; rel="preload"; as="style"'],
    ['Accept', 'text/html;q=0.9,*/*;q=0.8'],
  ])('that has none stays: %s: %s', (name, value) => {
    expect(redactFields([name, value])).toEqual([name, value]);
  });
});

const SECRET_NAMES = [
  'password',
  'access_token',
  'apiKey',
  'client_secret',
  'sessionid',
  'X-CSRFToken',
  'code_verifier',
  'SAMLResponse',
];
const secretName = fc.constantFrom(...SECRET_NAMES);
const harmless = fc.string({
  unit: fc.constantFrom(...'ab "\\\'/?#&;=:,{}[]<>\n\t%é'.split('')),
  maxLength: 12,
});
const secret = fc.tuple(harmless, harmless).map(([before, after]) => `${before}${CORE}${after}`);

interface Carrier {
  readonly type: string;
  readonly text: string;
}

const escapedName = (name: string): string =>
  name
    .split('')
    .map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

const json: fc.Arbitrary<Carrier> = fc
  .record({
    name: secretName,
    value: secret,
    other: harmless,
    shape: fc.constantFrom('text', 'array', 'object'),
    escaped: fc.boolean(),
    indent: fc.constantFrom(0, 2),
  })
  .map(({ name, value, other, shape, escaped, indent }) => {
    const held = shape === 'text' ? value : shape === 'array' ? [other, [value]] : { [other]: { a: value } };
    const text = JSON.stringify({ b: other, c: [other, { [name]: held, d: 1 }], e: other }, null, indent);
    return {
      type: 'application/json',
      text: escaped ? text.replace(`"${name}"`, `"${escapedName(name)}"`) : text,
    };
  });

const form: fc.Arbitrary<Carrier> = fc
  .record({ name: secretName, value: secret, other: harmless, isRaw: fc.boolean() })
  .map(({ name, value, other, isRaw }) => {
    const shown = isRaw ? value.replaceAll(/[&\n]/g, '') : encodeURIComponent(value);
    return {
      type: 'application/x-www-form-urlencoded',
      text: `a=${encodeURIComponent(other)}&${name}=${shown}&b=${encodeURIComponent(other)}`,
    };
  });

const multipart: fc.Arbitrary<Carrier> = fc
  .record({ name: secretName, value: secret, other: harmless, isQuoted: fc.boolean() })
  .map(({ name, value, other, isQuoted }) => {
    const part = (named: string, content: string): string =>
      `--x7M\r\nContent-Disposition: form-data; name=${isQuoted ? `"${named}"` : named}\r\n\r\n${content}\r\n`;
    return {
      type: 'multipart/form-data',
      text: `${part('a', other)}${part(name, value)}${part('b', other)}--x7M--\r\n`,
    };
  });

const url: fc.Arbitrary<Carrier> = fc
  .record({ name: secretName, value: secret, other: harmless })
  .map(({ name, value, other }) => ({
    type: 'url',
    text: `/a?b=${encodeURIComponent(other)}&${name}=${encodeURIComponent(value)}#c`,
  }));

/** One in another, as applications do it. */
const wraps: readonly ((inner: Carrier) => Carrier)[] = [
  ({ text }) => ({ type: 'application/json', text: JSON.stringify({ a: 'x', body: text }) }),
  ({ text }) => ({ type: 'application/json', text: JSON.stringify(['"', text], null, 2) }),
  ({ text }) => ({ type: 'application/x-www-form-urlencoded', text: `a=1&data=${encodeURIComponent(text)}` }),
  ({ text }) => ({ type: 'url', text: `/a?variables=${encodeURIComponent(text)}&b=1` }),
];

const carrier: fc.Arbitrary<Carrier> = fc.oneof(json, form, url);
const planted: fc.Arbitrary<Carrier> = fc.oneof(
  carrier,
  multipart,
  fc.tuple(carrier, fc.constantFrom(...wraps)).map(([inner, wrap]) => wrap(inner)),
  fc
    .tuple(carrier, fc.constantFrom(...wraps), fc.constantFrom(...wraps))
    .map(([inner, wrap, again]) => again(wrap(inner))),
);

function redacted({ type, text }: Carrier): string {
  return type === 'url' ? redactUrl(text) : redactBody(text, type);
}

test('whatever it is and stands in, it is not shown', () => {
  fc.assert(
    fc.property(planted, (body) => {
      expect(redacted(body)).not.toContain(SHOWN);
    }),
    { numRuns: 3000 },
  );
});

test('nor when only a part of it is there', () => {
  fc.assert(
    fc.property(planted, fc.double({ min: 0, max: 1, noNaN: true }), (body, part) => {
      expect(
        redacted({ ...body, text: body.text.slice(0, Math.ceil(body.text.length * part)) }),
      ).not.toContain(SHOWN);
    }),
    { numRuns: 3000 },
  );
});

test('nor when its type is not said', () => {
  fc.assert(
    fc.property(
      fc
        .oneof(json, form, multipart)
        .filter(({ text }) => !/[\r\n]/.test(text) || text.startsWith('--') || text.startsWith('{')),
      ({ text }) => {
        expect(redactBody(text, '')).not.toContain(SHOWN);
      },
    ),
    { numRuns: 1000 },
  );
});

test('what is redacted in JSON is JSON still', () => {
  fc.assert(
    fc.property(json, ({ text, type }) => {
      expect(() => void JSON.parse(redactBody(text, type))).not.toThrow();
    }),
  );
});
