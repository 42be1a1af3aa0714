import { describe, expect, test } from 'vitest';
import { trustIn } from '../../../src/client/peer.ts';

test('nobody is trusted unless named', () => {
  expect(trustIn([])('127.0.0.1')).toBe(false);
});

describe.each([
  ['an address', ['10.0.0.1'], ['10.0.0.1', '::ffff:10.0.0.1'], ['10.0.0.2', '::1', '']],
  ['a block', ['10.0.0.0/8', '127.0.0.0/8'], ['10.9.9.9', '127.0.0.1', '::ffff:127.0.0.1'], ['11.0.0.1']],
  ['an IPv6 address', ['::1'], ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1']],
  ['an IPv6 block', ['fd00::/8'], ['fd12::1'], ['fe80::1', '10.0.0.1']],
])('%s', (_name, peers, trusted, others) => {
  test.each(trusted)('lets %s in', (address) => {
    expect(trustIn(peers)(address)).toBe(true);
  });

  test.each(others)('keeps %j out', (address) => {
    expect(trustIn(peers)(address)).toBe(false);
  });
});
