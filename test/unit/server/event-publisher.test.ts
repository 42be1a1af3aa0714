/** Events are told together, in their order; how many things may happen, at once and in the long run. */

import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { EventPublisher, TokenBucket } from '../../../src/server/event-publisher.ts';
import type { ProxyEvents } from '../../../src/server/proxy.ts';

function publishing(): {
  readonly publisher: EventPublisher;
  readonly told: string[];
  readonly events: EventEmitter;
} {
  const events = new EventEmitter<ProxyEvents>();
  const told: string[] = [];
  events.on('acceptError', ({ message }) => told.push(message));
  events.on('adminError', ({ message }) => told.push(message));
  return { publisher: new EventPublisher(events), told, events };
}

test('events are told together and in their order, after the turn in which they happened', async () => {
  const { publisher, told, events } = publishing();
  publisher.publish('acceptError', new Error('1'));
  publisher.publish('adminError', new Error('2'));
  publisher.publish('acceptError', new Error('3'));
  expect(told).toEqual([]);
  await once(events, 'adminError');
  expect(told).toEqual(['1', '2', '3']);
});

test('so many wait at most, and none when all are asked for, or when one among them is expected', () => {
  const { publisher, told } = publishing();
  const publish = (count: number): void => {
    for (let index = 0; index < count; index += 1) publisher.publish('acceptError', new Error('x'));
  };
  publish(63);
  expect(told).toHaveLength(0);
  publish(1);
  expect(told).toHaveLength(64);
  publish(1);
  expect(told).toHaveLength(64);
  publisher.flush();
  expect(told).toHaveLength(65);
  publisher.watchesAll = true;
  publish(1);
  expect(told).toHaveLength(66);
});

test('a burst passes, then as many as a second allows', () => {
  let nowMs = 0;
  const bucket = new TokenBucket({ perSecond: 10, atOnce: 3 }, () => nowMs);
  const taken = (): number => [1, 2, 3, 4, 5].filter(() => bucket.take()).length;
  expect(taken()).toBe(3);
  nowMs += 250;
  expect(taken()).toBe(2);
  nowMs += 50;
  expect(taken()).toBe(1);
  nowMs += 60_000;
  expect(taken()).toBe(3);
});
