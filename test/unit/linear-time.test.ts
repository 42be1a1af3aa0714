// What a client or an upstream sent takes time in proportion to its length, whatever it is made of.

import { describe, expect, test } from 'vitest';
import { prefersHtml } from '../../src/http/problem.ts';
import { ChunkedDecoder } from '../../src/http/chunked.ts';
import {
  asksForConnectionLogin,
  contentLength,
  keepsAlive,
  responseFraming,
} from '../../src/http/framing.ts';
import { explainFieldLine, findHeadEnd, parseResponseHead } from '../../src/http/response-head.ts';
import { connectionOptions, hopByHopNames, listMembers, listParts, trimOws } from '../../src/http/fields.ts';
import type { Fields } from '../../src/http/fields.ts';
import {
  clientFields,
  lengthLast,
  serializeFields,
  upstreamFields,
  viaNames,
} from '../../src/http/forwarding.ts';
import { mayRetry } from '../../src/http/request.ts';
import { renameOwnAddress } from '../../src/http/rewriting.ts';
import { renderProblem } from '../../src/http/problem.ts';
import { quoted } from '../../src/http/quoted.ts';
import { originForm } from '../../src/http/request.ts';
import { checkRequest, headBytes } from '../../src/http/request-check.ts';
import { mustStream, pathStreams } from '../../src/http/streaming.ts';
import { mediaType } from '../../src/observe/inspector/body.ts';
import { redactBody } from '../../src/observe/redact-body.ts';
import { redactFields, redactUrl } from '../../src/observe/redact.ts';
import { shellWord } from '../../src/observe/terminal-text.ts';
import { printable, printableJson } from '../../src/observe/terminal-text.ts';
import { trustIn } from '../../src/client/peer.ts';
import { offeredProtocols } from '../../src/http/upgrade.ts';
import { ResponseReader } from '../../src/upstream/response-reader.ts';
import { Routes } from '../../src/upstream/routes.ts';

const SHORT = 6000;
const LONG = 10 * SHORT;
/** Ten times the length takes ten times the time, or a hundred times where it grows with its square. */
const MOST = 40;
/**
 * A shorter time is taken for this one: where many small strings are made, the collector's share grows faster than the
 * text, up to some ten milliseconds. A pattern that is quadratic takes as long for the short one, and seconds for the long.
 */
const LEAST_MS = 15;
const MOST_TRIES = 5;

/** What the grammars of HTTP, of URLs and of bodies give a meaning to, and what almost has one. */
const UNITS: readonly string[] =
  String.raw`a 0 / \ ? & ; : , = @ % " ( < { - // a/ /0 :: :// a, ", \" "\ ;q= %25 a=b& ?token= secret_
  @: {"a": "a":" \u0061 <input name=" value=' 1;`
    .split(/\s+/)
    .concat([' ', '\t', '\0', '\r', '\n', '\x80', '\r\n', '\r\n ', '\r\n--', 'a: b\r\n']);

/** Before and after the run, so that a pattern begins to match and then fails. */
const FRAMES: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['/', '\0'],
  ['"', 'a'],
];

function hostile(unit: string, length: number): readonly string[] {
  const run = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
  return FRAMES.map(([before, after]) => `${before}${run}${after}`);
}

const HOP = {
  clientAddress: '127.0.0.1',
  clientPort: 1,
  encrypted: false,
  localPort: 1,
  trusted: true,
  via: 'lastbyte',
};

/** Fields of every name whose value is read, each with the text as its value. */
function fieldsOf(text: string): Fields {
  const names = ['Host', 'Connection', 'Via', 'Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'Expect'];
  return [...names, 'Content-Disposition', 'Content-Type', 'Cookie', 'Referer', text].flatMap((name) => [
    name,
    text,
  ]);
}

/** Many fields of one name: each has a few characters of the text. */
function manyFields(name: string, text: string): Fields {
  return (text.match(/[^]{1,12}/g) ?? []).flatMap((part) => [name, part]);
}

const head = (fields: Fields, minor: 0 | 1 = 1) => ({ minor, status: 200, reason: 'OK', fields });

function decodeChunks(text: string, pieceBytes: number): void {
  const decoder = new ChunkedDecoder();
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length && !decoder.done && decoder.error === null; at += pieceBytes)
    decoder.decode(bytes, at, Math.min(at + pieceBytes, bytes.length), () => undefined);
}

function readResponse(text: string, pieceBytes: number): void {
  const reader = new ResponseReader('GET', 1_000_000, {
    interim: () => undefined,
    head: () => {
      throw new Error('the head is not to end');
    },
    messageEnded: () => undefined,
  });
  const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nX: ${text.replaceAll(/[\r\n]/g, '.')}`, 'latin1');
  for (let at = 0; at < bytes.length; at += pieceBytes)
    reader.read(bytes.subarray(at), Math.min(pieceBytes, bytes.length - at));
}

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  Accept: prefersHtml,
  'chunked coding, at once': (text) => decodeChunks(text, LONG * 2),
  'chunked coding after a size, at once': (text) => decodeChunks(`5${text}`, LONG * 2),
  'trailers, at once': (text) => decodeChunks(`0\r\n${text}`, LONG * 2),
  'what is wrong with a field line': explainFieldLine,
  'a list': (text) => [listMembers(text), listParts(text), trimOws(text)],
  Connection: (text) => [hopByHopNames(fieldsOf(text)), connectionOptions(fieldsOf(text))],
  'Connection, many times': (text) => hopByHopNames(manyFields('Connection', text)),
  'the fields for the upstream': (text) =>
    upstreamFields({ fields: fieldsOf(text), minor: 1, hop: HOP, host: text, bodyBytes: 1 }),
  'many fields for the upstream': (text) =>
    upstreamFields({
      fields: manyFields('X-Forwarded-For', text),
      minor: 1,
      hop: HOP,
      host: 'a',
      bodyBytes: 1,
    }),
  'the fields for the client': (text) =>
    clientFields({ fields: fieldsOf(text), status: 200, method: 'GET', length: 1 }),
  'fields as lines': (text) => [
    serializeFields(fieldsOf(text)),
    lengthLast(fieldsOf(text)),
    headBytes('GET', text, []),
  ],
  Via: (text) => [viaNames(['Via', text]), viaNames(manyFields('Via', text))],
  'Content-Length': (text) => [
    contentLength(['Content-Length', text]),
    contentLength(manyFields('Content-Length', text)),
  ],
  'the framing of a response': (text) => {
    const coded = head(['Transfer-Encoding', text]);
    return [responseFraming('GET', coded), keepsAlive(head(fieldsOf(text)), { kind: 'chunked' })];
  },
  'Idempotency-Key': (text) => mayRetry('POST', ['Idempotency-Key', text], []),
  'a failure in words': (text) => {
    const error = { code: 'a', status: 502, title: 'a', message: text, proxyStatus: 'a' };
    const input = {
      error,
      nextHop: 'a',
      receivedStatus: 200,
      details: null,
      more: text,
      extensions: {},
      instance: 'a',
    };
    return [renderProblem({ ...input, html: true }), renderProblem({ ...input, html: false, nextHop: text })];
  },
  'a quotation': quoted,
  'addresses in a response': (text) => {
    const address = { scheme: 'http', authority: 'localhost:8000' } as const;
    const addresses = { upstream: address, client: { ...address, authority: 'localhost:8080' } };
    const cookie = `a=b; Domain=${text}`;
    return ['Location', 'Refresh', 'Set-Cookie'].flatMap((name) =>
      [text, `http://${text}`, `1;url=${text}`, cookie].map((value) =>
        renameOwnAddress([name, value], addresses),
      ),
    );
  },
  'a login of a connection': (text) => asksForConnectionLogin(401, ['WWW-Authenticate', text]),
  'offers of an upgrade': (text) =>
    offeredProtocols({ minor: 1, fields: ['Connection', text, 'Upgrade', text] }),
  'a request target': (text) => {
    originForm(text, 'OPTIONS');
    originForm(`http://${text}`);
    return checkRequest({ method: 'GET', url: text, minor: 1, fields: ['Host', 'a'] });
  },
  Host: (text) => checkRequest({ method: 'GET', url: '/', minor: 1, fields: ['Host', text] }),
  'Transfer-Encoding of a request': (text) =>
    checkRequest({ method: 'GET', url: '/', minor: 1, fields: ['Host', 'a', 'Transfer-Encoding', text] }),
  'a response head': (text) => {
    for (const all of [
      text,
      `HTTP/1.1 200 ${text}`,
      `HTTP/1.1 200 OK\r\n${text}`,
      `HTTP/1.1 200 OK\r\na: ${text}\r\n`,
    ]) {
      const bytes = Buffer.from(`${all}\r\n\r\n`, 'latin1');
      findHeadEnd(bytes, 0, bytes.length);
      parseResponseHead(bytes, 0, bytes.length);
    }
  },
  'a type that streams': (text) => [
    mustStream(head(['Content-Type', text]), ['a*a*a*a*b', 'text/*a', '*']),
    mediaType(['Content-Type', text]),
  ],
  'a path that streams': (text) => pathStreams(text, ['/a*a*a*a*b', '/*/*/*/x', '/']),
  'the route of a request': (text) =>
    new Routes().hold('POST', text, { withholdBody: 'auto', bodyHoldMs: 1, bodyHoldMaxMs: 2 }),
  'text for a log or a shell': (text) => [
    printable(text),
    printableJson(JSON.stringify(text)),
    shellWord(text),
  ],
  'the address of a peer': (text) => trustIn(['127.0.0.1', '10.0.0.0/8'])(text),
  'a URL without its secrets': (text) => [redactUrl(text), redactUrl(`/?a=${text}`)],
  'fields without their secrets': (text) =>
    redactFields(['Referer', text, 'Cookie', text, 'Authorization', text]),
  'a body without its secrets': (text) =>
    ['', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a', 'application/json'].map(
      (type) => redactBody(text, type),
    ),
};

/** What is read a byte or a packet at a time: few units, because each call is one of thousands. */
const PIECEMEAL: Readonly<Record<string, (text: string) => unknown>> = {
  'chunk sizes, byte by byte': (text) => decodeChunks(text, 1),
  'trailers, byte by byte': (text) => decodeChunks(`0\r\n${text}`, 1),
  'a response head, byte by byte': (text) => readResponse(text, 1),
  'a response head, in packets': (text) => readResponse(text, 1400),
};

/** Of the processor: how long others hold it says nothing. */
function msOf(read: (text: string) => unknown, texts: readonly string[]): number {
  const before = process.cpuUsage();
  for (const text of texts) read(text);
  return process.cpuUsage(before).user / 1000;
}

/** How many times as long the long one takes: by the best of some tries, since all else that a machine does makes it more. */
function growth(read: (text: string) => unknown, unit: string, tries = MOST_TRIES): number {
  const [short, long] = [hostile(unit, SHORT), hostile(unit, LONG)];
  let [shortMs, longMs, ratio] = [Infinity, Infinity, Infinity];
  for (let time = 0; time < tries && ratio >= MOST; time += 1) {
    shortMs = Math.min(shortMs, msOf(read, short));
    longMs = Math.min(longMs, msOf(read, long));
    ratio = longMs / Math.max(shortMs, LEAST_MS);
  }
  return ratio;
}

function tooSlow(read: (text: string) => unknown, units: readonly string[]): readonly unknown[] {
  return units.map((unit) => [unit, growth(read, unit)] as const).filter(([, ratio]) => ratio >= MOST);
}

describe('ten times as much takes about ten times as long', { timeout: 120_000 }, () => {
  test.each(Object.entries(READERS))('%s', (_name, read) => {
    expect(tooSlow(read, UNITS)).toEqual([]);
  });

  test.each(Object.entries(PIECEMEAL))('%s', (_name, read) => {
    expect(tooSlow(read, ['a', 'a: b\r\n', '1;', '1\r\na\r\n'])).toEqual([]);
  });

  test('where it does not, that is seen', () => {
    const quadratic = (text: string): unknown => text.slice(0, text.length / 2).replace(/[^/]*\d[^/]*/g, '*');
    expect(growth(quadratic, 'a', 1)).toBeGreaterThan(MOST);
  });
});
