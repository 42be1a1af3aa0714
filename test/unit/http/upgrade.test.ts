import { describe, expect, test } from 'vitest';
import { headWithoutOffer, offeredProtocols } from '../../../src/http/upgrade.ts';

const UPGRADE = ['Connection', 'Upgrade'];

describe('of the protocols that a request offers', () => {
  test.each<[fields: string[], passedOn: string[]]>([
    [['Upgrade', 'websocket'], ['websocket']],
    [
      ['Upgrade', 'WebSocket, TLS/1.0', 'upgrade', 'foo'],
      ['WebSocket', 'TLS/1.0', 'foo'],
    ],
    [['Upgrade', 'websocket, h2c', 'Upgrade', 'H2C'], ['websocket']],
    [['Upgrade', 'h2'], []],
    [['Upgrade', 'h2c-14'], []],
    [['Upgrade', 'HTTP/2.0'], []],
    [['Upgrade', 'http'], []],
    [['Upgrade', 'h2x'], ['h2x']],
    [['Upgrade', ' , '], []],
    [[], []],
  ])('%j: those that are not HTTP are passed on', (fields, passedOn) => {
    expect(offeredProtocols({ minor: 1, fields: [...UPGRADE, ...fields] })).toEqual(passedOn);
  });

  test('none is passed on with a body, or from HTTP/1.0', () => {
    const fields = [...UPGRADE, 'Upgrade', 'websocket'];
    expect(offeredProtocols({ minor: 1, fields: [...fields, 'Content-Length', '0'] })).toEqual(['websocket']);
    expect(offeredProtocols({ minor: 1, fields: [...fields, 'Content-Length', '1'] })).toEqual([]);
    expect(offeredProtocols({ minor: 1, fields: [...fields, 'Transfer-Encoding', 'chunked'] })).toEqual([]);
    expect(offeredProtocols({ minor: 0, fields })).toEqual([]);
  });
});

test('a head without its offer keeps all else', () => {
  const fields = ['A', '\xff', 'UPGRADE', 'h2c', 'Connection', 'Upgrade, HTTP2-Settings', 'a', ''];
  expect(headWithoutOffer({ method: 'POST', url: '/a?b', httpVersion: '1.1', fields })).toBe(
    'POST /a?b HTTP/1.1\r\nA: \xff\r\nConnection: Upgrade, HTTP2-Settings\r\na: \r\n\r\n',
  );
});
