import { describe, expect, test } from 'vitest';
import { TABLE } from '../../../src/config/options.ts';

const wrong = (problem: string) => ({ kind: 'wrong', problem });

describe('a port', () => {
  test.each([0, 8080, '8080', ' 8080 ', 65_535])('may be %j', (raw) => {
    expect(TABLE.port.type.parse(raw)).toEqual({ kind: 'value', value: Number(raw) });
  });
  test.each([
    ['65536', 'is above the maximum of 65535'],
    ['-1', 'is below the minimum of 0'],
    ['80.5', 'is not a whole number'],
    ['http', 'is not a whole number'],
    ['', 'has no value'],
    [null, 'has no value'],
    [true, 'is only for switches'],
    [['1', '2'], 'is more than one value'],
    [{ a: 1 }, 'is more than one value'],
  ])('given as %j is refused: %s', (raw, problem) => {
    expect(TABLE.port.type.parse(raw)).toMatchObject(wrong(problem));
  });
});

describe('a switch', () => {
  test.each([true, 'true', 'Yes', 'ON', '1', 1])('is on as %j', (raw) => {
    expect(TABLE.admin.type.parse(raw)).toEqual({ kind: 'value', value: true });
  });
  test.each([false, 'false', 'no', 'off', '0', 0])('is off as %j', (raw) => {
    expect(TABLE.admin.type.parse(raw)).toEqual({ kind: 'value', value: false });
  });
  test.each(['maybe', '', null, 2])('is neither as %j', (raw) => {
    expect(TABLE.admin.type.parse(raw)).toMatchObject(wrong('is neither true nor false'));
  });
});

describe('a choice', () => {
  test('is read in any case', () => {
    expect(TABLE.withholdBody.type.parse('Always')).toEqual({ kind: 'value', value: 'always' });
  });
  test('that is misspelt is answered with the nearest word', () => {
    expect(TABLE.logLevel.type.parse('wran')).toEqual({
      kind: 'wrong',
      problem: 'is not one of error, warn, info, debug',
      remedy: 'Did you mean warn?',
    });
  });
});

describe('a listening address', () => {
  test.each([
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['[::1]', '::1'],
    ['localhost', 'localhost'],
  ])('may be %s', (raw, host) => {
    expect(TABLE.host.type.parse(raw)).toEqual({ kind: 'value', value: host });
  });
  test.each([
    ['http://localhost', 'is a URL or a path'],
    ['localhost:8080', 'includes a port'],
    ['127.0.0.256', 'is not an IPv4 address'],
    ['a b', 'is not a host name'],
  ])('%s is refused: %s', (raw, problem) => {
    expect(TABLE.host.type.parse(raw)).toMatchObject(wrong(problem));
  });
});

describe('limits of sizes and times', () => {
  test('no response fits in nothing, so 0 is refused there', () => {
    expect(TABLE.maxResponseBodyBytes.type.parse('0')).toMatchObject(wrong('is below the minimum of 1b'));
  });
  test('a body may be kept wholly on disk', () => {
    expect(TABLE.memoryPerBodyBytes.type.parse(0)).toEqual({ kind: 'value', value: 0 });
  });
  test('a time over what a Node timer holds is refused, because the timer would fire at once', () => {
    expect(TABLE.firstByteTimeoutMs.type.parse('25d')).toMatchObject({ kind: 'wrong' });
  });
});

describe('trusted peers', () => {
  test.each(['10.0.0.7', '10.0.0.0/8', '::1', 'fd00::/8', '0.0.0.0/0'])('may be %s', (raw) => {
    expect(TABLE.trustProxy.type.parse(raw)).toEqual({ kind: 'value', value: [raw] });
  });
  test.each([
    ['10.0.0.0/33', 'has an invalid prefix length, "33"'],
    ['::1/129', 'has an invalid prefix length, "129"'],
    ['10.0.0.0/', 'has an invalid prefix length, ""'],
    ['10.0.0', 'is neither an IP address nor a CIDR block'],
    ['10.0.0.0/8/8', 'is neither an IP address nor a CIDR block'],
    ['nginx', 'is neither an IP address nor a CIDR block'],
  ])('%s is refused: %s', (raw, problem) => {
    expect(TABLE.trustProxy.type.parse(raw)).toMatchObject(wrong(problem));
  });
});

describe('retry methods', () => {
  test('are read in any case, each once', () => {
    expect(TABLE.retryMethods.type.parse('get, put,GET')).toEqual({ kind: 'value', value: ['GET', 'PUT'] });
  });
  test.each([
    ['POST', 'cannot be retried by its method alone'],
    ['PATCH', 'cannot be retried by its method alone'],
    ['GTE', 'is not a method that Node.js accepts'],
    ['G=T', 'is not a method'],
  ])('%s is refused: %s', (raw, problem) => {
    expect(TABLE.retryMethods.type.parse(raw)).toMatchObject(wrong(problem));
  });
  test('none at all is a way to turn retries of whole exchanges off', () => {
    expect(TABLE.retryMethods.type.parse('')).toEqual({ kind: 'value', value: [] });
  });
});

describe('streamed paths and types', () => {
  test('may be a list, and text with commas', () => {
    const read = TABLE.stream.type.parse(['/events/', 'text/X-Log,/a/*/b']);
    expect(read).toEqual({ kind: 'value', value: ['/events/', 'text/x-log', '/a/*/b'] });
  });
  test.each([
    ['events', 'is neither a path nor a media type'],
    ['text/', 'is neither a path nor a media type'],
    ['/a?b', 'contains a query or a fragment'],
    ['text/plain; charset=utf-8', 'contains white space'],
    ['/a,,/b', 'has an empty entry'],
    [[1], 'is not a list of words'],
    [null, 'is not a list of words'],
  ])('%j is refused: %s', (raw, problem) => {
    expect(TABLE.stream.type.parse(raw)).toMatchObject(wrong(problem));
  });
});
