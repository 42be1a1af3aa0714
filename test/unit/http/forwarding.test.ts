import { describe, expect, test } from 'vitest';
import type { Hop } from '../../../src/http/forwarding.ts';
import { upstreamFields, viaNames } from '../../../src/http/forwarding.ts';
import { fieldValue, fieldValues } from '../../../src/http/fields.ts';

/** Several strings on one line. */
const split = (text: string): string[] => text.split('|');

const HOP: Hop = {
  clientAddress: '192.0.2.1',
  clientPort: 40_000,
  encrypted: false,
  localPort: 8080,
  trusted: false,
  via: 'lastbyte',
};

const toUpstream = (
  fields: readonly string[],
  {
    hop = {},
    bodyBytes = null,
    minor = 1,
    host = 'h',
  }: { hop?: Partial<Hop>; bodyBytes?: number | null; minor?: 0 | 1; host?: string } = {},
): string[] => upstreamFields({ fields, minor, hop: { ...HOP, ...hop }, host, bodyBytes });

/** What this hop adds after the client's fields. */
const ADDED = [
  ...split('X-Forwarded-For|192.0.2.1|X-Forwarded-Proto|http|X-Forwarded-Host|h'),
  ...split('X-Forwarded-Port|8080|X-Real-IP|192.0.2.1|Forwarded|for="192.0.2.1:40000";host=h;proto=http'),
  ...split('Via|1.1 lastbyte|Connection|keep-alive'),
];

describe('toward the upstream', () => {
  test('case, order and duplicates are kept', () => {
    const fields = ['hOST', 'h', 'X-b', '1', 'x-A', '2', 'X-B', '3', 'Cookie', 'a=1', 'Cookie', 'b=2'];
    expect(toUpstream(fields)).toEqual([...fields, ...ADDED]);
  });

  test('Host stands where the client had it, with the value to send', () => {
    const sent = toUpstream(['A', 'b', 'host', 'client', 'HOST', 'other'], { host: 'target:1' });
    expect(sent.slice(0, 4)).toEqual(['A', 'b', 'host', 'target:1']);
    expect(fieldValues(sent, 'host')).toEqual(['target:1']);
    expect(fieldValue(sent, 'x-forwarded-host')).toBe('client');
    expect(fieldValue(sent, 'forwarded')).toBe('for="192.0.2.1:40000";host=client;proto=http');
  });

  test('a missing Host comes first, and is not claimed to be the client’s', () => {
    const sent = toUpstream(['A', 'b'], { minor: 0 });
    expect(sent.slice(0, 4)).toEqual(['Host', 'h', 'A', 'b']);
    expect(fieldValue(sent, 'x-forwarded-host')).toBeUndefined();
    expect(fieldValue(sent, 'forwarded')).toBe('for="192.0.2.1:40000";proto=http');
    expect(fieldValue(sent, 'via')).toBe('1.0 lastbyte');
  });

  test.each<[fields: readonly string[], bodyBytes: number | null, sent: readonly string[]]>([
    [['Transfer-Encoding', 'chunked', 'A', 'b'], 5, ['Content-Length', '5', 'A', 'b']],
    [['content-length', '7', 'A', 'b', 'Content-Length', '7'], 5, ['Content-Length', '5', 'A', 'b']],
    [['A', 'b'], 0, ['A', 'b', 'Content-Length', '0']],
    [['Content-Length', '0', 'A', 'b'], null, ['A', 'b']],
    [['Expect', '100-continue', 'A', 'b'], null, ['A', 'b']],
    [['TE', 'trailers', 'Trailer', 'X', 'A', 'b'], null, ['A', 'b']],
    [['Connection', 'close, X-Hop', 'X-Hop', '1', 'Keep-Alive', 'x', 'A', 'b'], null, ['A', 'b']],
  ])('%j with a body of %j bytes become %j', (fields, bodyBytes, sent) => {
    expect(toUpstream(['Host', 'h', ...fields], { bodyBytes })).toEqual(['Host', 'h', ...sent, ...ADDED]);
  });

  const CLAIMS = [
    ...split('Forwarded|for=a|X-Forwarded-For|1.1.1.1|x-forwarded-proto|https'),
    ...split('X-Forwarded-Host|evil|X-Forwarded-Port|1|X-Forwarded-For|2.2.2.2'),
  ];

  test('what a stranger claims about earlier hops is replaced', () => {
    expect(toUpstream(['Host', 'h', ...CLAIMS])).toEqual(['Host', 'h', ...ADDED]);
  });

  test('what a trusted peer says is kept, and its lists are continued', () => {
    expect(toUpstream(['Host', 'h', ...CLAIMS], { hop: { trusted: true } })).toEqual([
      ...split('Host|h|x-forwarded-proto|https|X-Forwarded-Host|evil|X-Forwarded-Port|1'),
      ...split('X-Forwarded-For|1.1.1.1, 2.2.2.2, 192.0.2.1|X-Real-IP|2.2.2.2'),
      ...split('Forwarded|for=a, for="192.0.2.1:40000";host=h;proto=http'),
      ...split('Via|1.1 lastbyte|Connection|keep-alive'),
    ]);
  });

  test('a trusted peer that says nothing is spoken for', () => {
    expect(toUpstream(['Host', 'h', 'X-Forwarded-For', ''], { hop: { trusted: true } })).toEqual([
      'Host',
      'h',
      ...ADDED,
    ]);
  });

  const FAMILY = [
    ...split('X-Forwarded|for=a|X-Forwarded-Prefix|/evil|X-Forwarded-Ssl|on|X-Forwarded-Protocol|ssl'),
    ...split('X-Forwarded-Scheme|https|X-Forwarded-Server|evil|x-forwarded-user|root|X-Forwarded-By|me'),
    ...split('X-Forwarded-Anything|1|X-Real-IP|6.6.6.6'),
  ];

  test('of a stranger nothing of the family passes, of a trusted peer all of it', () => {
    expect(toUpstream(['Host', 'h', ...FAMILY])).toEqual(['Host', 'h', ...ADDED]);
    const trusted = toUpstream(['Host', 'h', ...FAMILY], { hop: { trusted: true } });
    expect(trusted.slice(0, FAMILY.length + 2)).toEqual(['Host', 'h', ...FAMILY]);
    expect(fieldValues(trusted, 'x-real-ip')).toEqual(['6.6.6.6']);
  });

  test.each([
    ['the last in the list of a trusted peer', ['X-Forwarded-For', '1.1.1.1, 2.2.2.2'], true, '2.2.2.2'],
    ['its own where the list says no address', ['X-Forwarded-For', '1.1.1.1, unknown'], true, '192.0.2.1'],
    ['its own where it is a stranger', ['X-Forwarded-For', '1.1.1.1'], false, '192.0.2.1'],
  ])('the real address is %s', (_, fields, trusted, address) => {
    expect(fieldValues(toUpstream(['Host', 'h', ...fields], { hop: { trusted } }), 'x-real-ip')).toEqual([
      address,
    ]);
  });

  test('a client without an address has none to tell', () => {
    const sent = toUpstream(['Host', 'h', 'X-Real-IP', '6.6.6.6'], { hop: { clientAddress: 'unknown' } });
    expect(fieldValues(sent, 'x-real-ip')).toEqual([]);
  });

  test('the host that is told keeps its port', () => {
    expect(fieldValue(toUpstream(['Host', 'h:3000']), 'x-forwarded-host')).toBe('h:3000');
  });

  test('a name with underscores, which WSGI cannot tell from the right one, claims nothing', () => {
    const fields = [
      'Host',
      'h',
      'X_Forwarded_For',
      '6.6.6.6',
      'x-forwarded_proto',
      'https',
      'X_Other',
      '1',
    ].concat('X_Forwarded_Ssl', 'on', 'X_Real_IP', '6.6.6.6');
    for (const trusted of [false, true]) {
      expect(toUpstream(fields, { hop: { trusted } })).toEqual(['Host', 'h', 'X_Other', '1', ...ADDED]);
    }
  });

  test.each(['X-Forwarded-Proto', 'X-Forwarded-Prefix', 'X-Real-IP'])(
    'the trusted claim %s cannot be deleted by naming it in Connection',
    (name) => {
      const fields = ['Host', 'h', name, 'https', 'Connection', name];
      expect(fieldValue(toUpstream(fields, { hop: { trusted: true } }), name.toLowerCase())).toBe('https');
    },
  );

  test.each<[hop: Partial<Hop>, host: string, address: string, forwarded: string]>([
    [{ clientPort: 0 }, 'h', '192.0.2.1', 'for=192.0.2.1;host=h;proto=http'],
    [{ encrypted: true }, 'h', '192.0.2.1', 'for="192.0.2.1:40000";host=h;proto=https'],
    [{ clientAddress: '::1' }, 'h', '::1', 'for="[::1]:40000";host=h;proto=http'],
    [
      { clientAddress: '2001:db8::7', clientPort: 0 },
      'h',
      '2001:db8::7',
      'for="[2001:db8::7]";host=h;proto=http',
    ],
    [{ clientAddress: '::ffff:10.0.0.9' }, 'h', '10.0.0.9', 'for="10.0.0.9:40000";host=h;proto=http'],
    [{ clientAddress: '::FFFF:10.0.0.9' }, 'h', '10.0.0.9', 'for="10.0.0.9:40000";host=h;proto=http'],
    [{ clientAddress: 'fe80::1%eth0' }, 'h', 'fe80::1', 'for="[fe80::1]:40000";host=h;proto=http'],
    [{ clientAddress: 'unknown', clientPort: 0 }, 'h', 'unknown', 'for=unknown;host=h;proto=http'],
    [{ clientAddress: 'unknown' }, 'h', 'unknown', 'for=unknown;host=h;proto=http'],
    [{}, 'h:80', '192.0.2.1', 'for="192.0.2.1:40000";host="h:80";proto=http'],
    [{}, 'a"b\\', '192.0.2.1', 'for="192.0.2.1:40000";host="a\\"b\\\\";proto=http'],
  ])('the hop %j for host %s is told as %s and %s', (hop, host, address, forwarded) => {
    const sent = toUpstream(['Host', host], { hop });
    expect(fieldValue(sent, 'x-forwarded-for')).toBe(address);
    expect(fieldValue(sent, 'forwarded')).toBe(forwarded);
    expect(fieldValue(sent, 'x-forwarded-proto')).toBe(hop.encrypted === true ? 'https' : 'http');
  });

  test('a unix socket has no port to tell', () => {
    expect(
      fieldValue(toUpstream(['Host', 'h'], { hop: { localPort: 0 } }), 'x-forwarded-port'),
    ).toBeUndefined();
  });

  test('Via is added after those of earlier hops', () => {
    expect(fieldValues(toUpstream(['Host', 'h', 'via', '1.0 first']), 'via')).toEqual([
      '1.0 first',
      '1.1 lastbyte',
    ]);
  });
});

test.each<[values: readonly string[], names: readonly string[]]>([
  [[], []],
  [['1.1 Alpha'], ['Alpha']],
  [
    ['1.0 a:80, HTTP/1.1 b (comment, with 1.1 comma)', '2.0\tc'],
    ['a:80', 'b', 'c'],
  ],
  [['nonsense', ',', '1.1'], []],
])('the intermediaries in Via %j are %j', (values, names) => {
  expect(viaNames(values.flatMap((value) => ['Via', value]))).toEqual(names);
});
