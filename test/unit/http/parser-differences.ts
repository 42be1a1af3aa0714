/** Responses of which our parser and Node's do not make the same, and why that is right. */

import {
  withStatusLine,
  withField,
  withFraming,
  withCoding,
  withChunks,
  withSizeLine,
} from './parser-cases.ts';

export interface Difference {
  readonly text: string;
  readonly why: string;
}

const each = (why: string, texts: readonly string[]): Difference[] => texts.map((text) => ({ text, why }));

/** Node 22 reads some responses as we do that Node 20 does not. */
export const NODE_20: boolean = Number.parseInt(process.versions.node, 10) < 22;

export const REFUSED_SINCE_NODE_22: readonly Difference[] = [
  ...each('a status line that ends in CR CR (RFC 9112 section 2.2)', [
    'HTTP/1.1 200 OK\r\rContent-Length: 2\r\n\r\nok',
  ]),
  ...each('an empty Transfer-Encoding, which nobody can mean', [
    withFraming('Transfer-Encoding: '),
    withFraming('Transfer-Encoding: \r\nContent-Length: 5'),
  ]),
];

export const ACCEPTED_SINCE_NODE_22: readonly Difference[] = [
  ...each('a tab after a length: white space is no part of a value (RFC 9112 section 5)', [
    withFraming('Content-Length: 5\t'),
  ]),
];

/** Node accepts them and we do not. */
export const NODE_ACCEPTS: readonly Difference[] = [
  ...each('a reason that writeHead could not write again (RFC 9112 section 4)', [
    withStatusLine('HTTP/1.1 200 a\x01'),
    withStatusLine('HTTP/1.1 200 a\x7f'),
    withStatusLine('HTTP/1.1 200 a\0'),
  ]),
  ...each('a status below 100, which writeHead could not write again (RFC 9110 section 15)', [
    withStatusLine('HTTP/1.1 099 x'),
    withStatusLine('HTTP/1.1 000 x'),
  ]),
  ...each('a version that has another syntax than HTTP/1.1', [
    withStatusLine('HTTP/2.0 200 OK'),
    withStatusLine('HTTP/0.9 200 OK'),
  ]),
  ...each('an empty line first, which only a server may skip (RFC 9112 section 2.2)', [
    withStatusLine('\r\nHTTP/1.1 200 OK'),
    withStatusLine('\nHTTP/1.1 200 OK'),
  ]),
  ...(NODE_20 ? REFUSED_SINCE_NODE_22 : []),
  ...each('a coding that we do not know: the body would be passed on coded, its field would not', [
    withFraming('Transfer-Encoding: gzip'),
    withFraming('Transfer-Encoding: xchunked'),
    withCoding('Transfer-Encoding: gzip, chunked'),
    withCoding('Transfer-Encoding: chunked, gzip'),
    withCoding('Transfer-Encoding: identity, chunked'),
    withCoding('Transfer-Encoding: chunked;a=b'),
  ]),
  ...each('chunked twice, of which Node decodes one (RFC 9112 section 6.1)', [
    withCoding('Transfer-Encoding: chunked, chunked'),
    withCoding('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  ]),
  ...each('a chunk size of more than 13 digits', [withSizeLine('00000000000000000005')]),
  ...each('an extension of more than 4096 bytes', [withChunks(`1;${'x'.repeat(5000)}\r\na\r\n0\r\n\r\n`)]),
];

/** We accept them and Node does not. */
export const NODE_REFUSES: readonly Difference[] = [
  ...each('a folded line, which a proxy is to unfold (RFC 9112 section 5.2)', [
    withField('A: b\r\n c'),
    withField('A: b \r\n\t c'),
    withField('A:\r\n c'),
    withField('A: b\r\n '),
    withField('A: b\r\n c\r\n d'),
  ]),
  ...each('lines that all end in LF, as small servers write them (RFC 9112 section 2.2)', [
    'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello',
    'HTTP/1.1 200 OK\nA: b\n c\nContent-Length: 5\n\nhello',
    'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\r\nhello\r\n0\r\n\r\n',
    'HTTP/1.0 200 OK\n\nuntil close',
  ]),
  ...each('one length said twice, which may count as once (RFC 9110 section 8.6)', [
    withFraming('Content-Length: 5\r\nContent-Length: 5'),
    withFraming('Content-Length: 5, 5'),
  ]),
  ...(NODE_20 ? ACCEPTED_SINCE_NODE_22 : []),
  ...each('a length beside a coding: the coding wins (RFC 9112 section 6.3)', [
    withCoding('Transfer-Encoding: chunked\r\nContent-Length: 5'),
    withCoding('Content-Length: 5\r\nTransfer-Encoding: chunked'),
    withFraming('Transfer-Encoding: identity\r\nContent-Length: 5'),
  ]),
  ...each('a status without a body, so its length says nothing (RFC 9112 section 6.3)', [
    'HTTP/1.1 204 No Content\r\nContent-Length: x\r\n\r\n',
  ]),
  ...each('too much, which is discarded (RFC 9112 section 6.3)', [
    withFraming('Content-Length: 4'),
    withChunks('0\r\n\r\nsurplus'),
    'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello',
  ]),
  ...each('an extension, which is ignored, whatever its grammar (RFC 9112 section 7.1.1)', [
    withSizeLine('5; a = b'),
    withSizeLine('5 ;a'),
    withSizeLine('5;'),
    withSizeLine('5;\xe9'),
    withSizeLine('5;a==b'),
    withSizeLine('5;a="b'),
    withSizeLine('5;a b'),
  ]),
  ...each('a trailer that looks like framing, which is dropped like any other (RFC 9110 section 6.5.1)', [
    withChunks('0\r\nContent-Length: 5\r\n\r\n'),
  ]),
];

/** Both accept them, and read different things. */
export const READ_OTHERWISE: readonly Difference[] = [
  ...each(
    'an empty list member, which is no coding (RFC 9110 section 5.6.1); Node passes the chunks on as body',
    [withCoding('Transfer-Encoding: chunked,')],
  ),
  ...each('a tab after the coding: white space is no part of a value; Node passes the chunks on as body', [
    withCoding('Transfer-Encoding: chunked\t'),
  ]),
];
