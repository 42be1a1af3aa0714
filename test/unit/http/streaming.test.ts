import { describe, expect, test } from 'vitest';
import { mustStream, pathStreams } from '../../../src/http/streaming.ts';

const streams = (fields: readonly string[], extra: readonly string[] = []): boolean =>
  mustStream({ minor: 1, status: 200, reason: 'OK', fields }, extra);

describe('a response', () => {
  test.each([
    ['text/event-stream'],
    ['Text/Event-Stream; charset=utf-8'],
    ['multipart/x-mixed-replace;boundary=frame'],
    ['application/x-ndjson'],
    ['multipart/mixed; boundary="-"'],
    ['application/jsonl'],
    ['application/stream+json;charset=UTF-8'],
    ['application/json-seq'],
    ['application/grpc'],
    ['application/grpc+proto'],
    ['application/grpc-web-text'],
  ])('of type %s streams', (type) => {
    expect(streams(['Content-Type', type])).toBe(true);
  });

  test.each([['text/html'], ['text/event-streams'], ['x-text/event-stream'], ['application/json'], ['']])(
    'of type %j is buffered',
    (type) => {
      expect(streams(['Content-Type', type])).toBe(false);
    },
  );

  test('without a type is buffered', () => {
    expect(streams([])).toBe(false);
  });

  test('whose server asks that it be not buffered is not', () => {
    expect(streams(['X-Accel-Buffering', 'NO'])).toBe(true);
    expect(streams(['X-Accel-Buffering', 'yes', 'Content-Type', 'text/html'])).toBe(false);
  });

  test.each([
    ['text/x-log', 'Text/X-Log; a=b', true],
    ['TEXT/x-log', 'text/x-log', true],
    ['text/x-log', 'text/x-logs', false],
    ['video/*', 'video/mp4', true],
    ['*/json', 'application/json', true],
    ['*/json', 'application/json5', false],
    ['a*b*c', 'a-b-b-c', true],
    ['/events/', 'text/html', false],
  ])('of a type that the user named %s: %s streams: %s', (pattern, type, expected) => {
    expect(streams(['Content-Type', type], [pattern])).toBe(expected);
  });
});

describe('a path', () => {
  test.each([
    ['/events/', '/events/1', true],
    ['/events/', '/events', false],
    ['/events', '/events?x', true],
    ['/events', '/other?/events', false],
    ['/', '/anything', true],
    ['/a/*/log', '/a/b/c/log/tail', true],
    ['/a/*/log', '/a/log', false],
    ['/*.m3u8', '/live/x.m3u8?t=1', true],
    ['/*.m3u8', '/live/x.ts?y=.m3u8', false],
    ['/a*b*c', '/a-c-b', false],
    ['text/html', 'text/html', false],
    ['/events', 'http://h/events', true],
    ['/events', 'http://h?/events', false],
  ])('that the user named %s: %s streams: %s', (pattern, url, expected) => {
    expect(pathStreams(url, [pattern])).toBe(expected);
  });

  test('streams when any of the user’s does, and none when none is named', () => {
    expect(pathStreams('/b', ['/a', '/b'])).toBe(true);
    expect(pathStreams('/b', [])).toBe(false);
  });

  test('that almost matches many stars takes no longer than its length warrants', () => {
    const started = performance.now();
    expect(pathStreams(`/${'a'.repeat(8000)}`, [`/${'*a'.repeat(200)}*b`])).toBe(false);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
