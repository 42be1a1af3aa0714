/** Makes broken messages of good ones: flips, cuts, copies, splices and tokens of HTTP in the wrong places. */

import type { Random } from '../harness/random-body.ts';

/** Several strings on one line. */
const split = (text: string): string[] => text.split('|');

const TOKENS: readonly string[] = [
  ...split('\r\n|\n|\r|\0| |\t|\x0b|:|,|;|"|\\|\r\n |\r\n\r\n|\n\n|\xff'),
  ...split('0|00|5|-1|+5|0x5|1e3|4294967296|9007199254740993|18446744073709551616'),
  ...split('ffffffff|ffffffffffffffff|0\r\n\r\n|5\r\nhello\r\n|5;a="b|Content-Length: 5\r\n'),
  ...split('Content-Length: 0\r\n|content-length: 7\r\n|Transfer-Encoding: chunked\r\n'),
  ...split('Transfer-Encoding:'),
  ...split('transfer-encoding: identity\r\n|Transfer-Encoding: gzip, chunked\r\n|chunked|gzip'),
  ...split('Host: x\r\n'),
  ...split('Host:|Connection: close\r\n|Connection: keep-alive\r\n|Connection: Content-Length\r\n'),
  ...split(' HTTP/1.0'),
  ...split('Expect: 100-continue\r\n|Upgrade: h2c\r\n|Connection: Upgrade\r\nUpgrade: x\r\n'),
  ...split(' HTTP/1.1|HTTP/2.0'),
  ...split('GET |HEAD |POST |CONNECT |OPTIONS * |http://evil/|Max-Forwards: 0\r\n|Via: 1.1 a (b\r\n'),
  ...split('HTTP/1.1 200 OK\r\n|HTTP/1.0 200\r\n|HTTP/1.1 100 C\r\n\r\n|HTTP/1.1 103 E\r\n\r\n| 204 '),
  ...split(' 304 '),
  ...split('HTTP/1.1 101 S\r\n\r\n|Trailer: a\r\n|X: y\r\n|GET /evil HTTP/1.1\r\nHost: x\r\n\r\n'),
];

const MAX_LENGTH = 20_000;

/** @param corpus what to splice in; latin1, as all texts here */
export function mutated(text: string, corpus: readonly string[], pick: Random): string {
  let made = text;
  for (let left = 1 + pick(4); left > 0; left -= 1) made = mutatedOnce(made, corpus, pick);
  return made.slice(0, MAX_LENGTH);
}

function mutatedOnce(text: string, corpus: readonly string[], pick: Random): string {
  const at = pick(text.length + 1);
  const to = Math.min(text.length, at + 1 + pick(pick(2) === 0 ? 4 : 60));
  const [before, part, behind] = [text.slice(0, at), text.slice(at, to), text.slice(to)];
  switch (pick(9)) {
    case 0:
      return before + String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << pick(8))) + text.slice(at + 1);
    case 1:
      return before + behind;
    case 2:
      return before + part.repeat(2 + pick(pick(20) === 0 ? 300 : 3)) + behind;
    case 3:
      return before + token(pick) + text.slice(at);
    case 4:
      return before + token(pick) + behind;
    case 5:
      return before;
    case 6:
      return before + spliced(corpus, pick);
    case 7:
      return swappedLines(text, pick);
    default:
      return before + String.fromCharCode(pick(256)) + text.slice(at + 1);
  }
}

function token(pick: Random): string {
  return TOKENS[pick(TOKENS.length)] ?? '';
}

function spliced(corpus: readonly string[], pick: Random): string {
  const other = corpus[pick(corpus.length)] ?? '';
  return other.slice(pick(other.length + 1));
}

function swappedLines(text: string, pick: Random): string {
  const lines = text.split('\r\n');
  const [one, other] = [pick(lines.length), pick(lines.length)];
  const [first = '', second = ''] = [lines[one], lines[other]];
  lines[one] = second;
  lines[other] = first;
  return lines.join('\r\n');
}
