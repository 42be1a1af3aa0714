/** Any bytes for the parsers of src/: nothing throws, and how they are split into packets changes nothing. */

import { strict as assert } from 'node:assert';
import { prefersHtml } from '../../src/http/problem.ts';
import { upstreamFields, serializeFields, viaNames } from '../../src/http/forwarding.ts';
import { originForm } from '../../src/http/request.ts';
import { checkRequest } from '../../src/http/request-check.ts';
import { pathStreams } from '../../src/http/streaming.ts';
import type { BodySink } from '../../src/spool/spooled-body.ts';
import { ResponseReader } from '../../src/upstream/response-reader.ts';
import { plainResponse } from './plain-reading.ts';

/** Some bytes, and where they are cut into packets. */
export interface Packets {
  readonly text: string;
  readonly cuts: readonly number[];
}

const MAX_HEADER_BYTES = 4096;

/** @throws what is wrong */
export function tryParsers(input: Packets): void {
  for (const method of ['GET', 'HEAD']) tryResponse(input, method);
  tryRequest(input.text);
}

interface Reading {
  readonly ending: string;
  readonly status: number | null;
  readonly body: string;
}

function tryResponse({ text, cuts }: Packets, method: string): void {
  const whole = reading(packetsAt(text, []), method);
  const split = reading(packetsAt(text, cuts), method);
  assert.deepEqual(split, whole, 'a split makes a difference');
  if (whole.ending !== 'message-end') return;
  const plain = plainResponse(text, method, false);
  assert.deepEqual({ status: whole.status, body: whole.body }, plain, 'a plain reading differs');
}

function reading(packets: readonly Buffer[], method: string): Reading {
  let ending: string = 'more';
  const sink = new MemorySink();
  const reader = new ResponseReader(method, MAX_HEADER_BYTES, {
    interim: () => undefined,
    head: () => sink,
    messageEnded: (how) => {
      assert.equal(ending, 'more', 'it is over twice');
      // Which of two faults is met first depends on the packets.
      ending = how.kind === 'limit' ? 'parse-error' : how.kind;
    },
  });
  for (const packet of packets) hand(reader, packet);
  const body = sink.text;
  assert.equal(reader.bodyBytes, body.length, 'bytes are lost or counted twice');
  const isWhole = ending === 'message-end';
  return { ending, status: isWhole ? (reader.head?.status ?? null) : null, body: isWhole ? body : '' };
}

/** As a connection does: into the window that the reader names, or into memory of its own. */
function hand(reader: ResponseReader, packet: Buffer): void {
  for (let from = 0; from < packet.length;) {
    const window = reader.window() ?? Buffer.alloc(packet.length);
    const count = Math.min(window.length, packet.length - from);
    window.set(packet.subarray(from, from + count));
    reader.read(window, count);
    from += count;
  }
}

class MemorySink implements BodySink {
  text = '';
  readonly congested = false;
  readonly fault = null;
  readonly #window = Buffer.alloc(16);

  /** Small, and not always there: both ways are taken. */
  window(): Uint8Array | null {
    return this.text.length % 3 === 0 ? null : this.#window;
  }

  commit(bytes: number): void {
    this.text += this.#window.toString('latin1', 0, bytes);
  }

  append(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString('latin1');
  }

  whenDrained(resume: () => void): void {
    resume();
  }
}

function packetsAt(text: string, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...places.filter((place) => place > 0), text.length];
  return edges
    .slice(1)
    .map((edge, index) => Buffer.from(text.slice(edges[index], edge), 'latin1'))
    .filter((packet) => packet.length > 0);
}

const HOP = {
  clientAddress: '127.0.0.1',
  clientPort: 1,
  encrypted: false,
  localPort: 2,
  trusted: true,
  via: 'v',
};

/** What Node's parser would have to let through first; the checks must stand without it. */
function tryRequest(text: string): void {
  const [line = '', ...lines] = text.split('\r\n');
  const [method = '', url = ''] = line.split(' ');
  const fields = lines.flatMap((one) => [one.split(':')[0] ?? '', one.slice(one.indexOf(':') + 1).trim()]);
  if (fields.some((part) => /[\r\n\0]/.test(part))) return;
  prefersHtml(fields[1]);
  viaNames(fields);
  pathStreams(url, ['/a*b*c', '/']);
  const refused = checkRequest({ method, url, minor: 1, fields });
  const { target, host } = originForm(url, method);
  const sent = upstreamFields({ fields, minor: 1, hop: HOP, host: host ?? 'x', bodyBytes: 5 });
  assert.equal(serializeFields(sent).split('\r\n').length - 1, sent.length / 2, 'a field makes two lines');
  if (refused !== null) return;
  assert.match(target, /^(?:\/[\x21-\xff]*|\*)$/, 'a target is no path');
  const names = sent.filter((_part, index) => index % 2 === 0).map((name) => name.toLowerCase());
  for (const name of ['host', 'content-length', 'connection']) {
    assert.equal(names.filter((one) => one === name).length, 1, `${name} is not sent once`);
  }
  assert.ok(!names.includes('transfer-encoding') && !names.includes('expect'), 'what stops here goes on');
}
