/** The feed: nothing is queued for a watcher that does not read, and it is told what it missed. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Feed } from '../../../../src/observe/inspector/feed.ts';
import { readFilter } from '../../../../src/observe/inspector/filter.ts';
import type { Filter } from '../../../../src/observe/inspector/filter.ts';
import { Ring } from '../../../../src/observe/inspector/ring.ts';
import { Tally } from '../../../../src/observe/inspector/inspector.ts';
import { DELIVERED } from '../records.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

class Sink {
  text = '';
  congested = false;
  ended = false;

  readonly write = (text: string): void => {
    this.text += text;
  };

  readonly end = (): void => {
    this.ended = true;
  };

  /** The names of the events that came since the last call. */
  take(): string[] {
    const names = [...this.text.matchAll(/^event: (\w+)$/gm)].map(([, name = '']) => name);
    this.text = '';
    return names;
  }
}

function everything(query = ''): Filter {
  const filter = readFilter(new URLSearchParams(query));
  if ('parameter' in filter) throw new Error(filter.detail);
  return filter;
}

function setUp(maxExchanges = 1000): { ring: Ring; feed: Feed; done: (id: string) => void } {
  const ring = new Ring({ maxExchanges, maxBodyBytes: 0, maxRecordBytes: Infinity });
  const tally = new Tally();
  const now = { connections: 0, lingering: 0, waiting: 0, spool_memory_bytes: 0, spool_disk_bytes: 0 };
  const feed = new Feed({
    ring,
    version: '1',
    failed: () => undefined,
    summary: () => ({
      version: '1',
      started_at: '',
      url: '',
      target: '',
      diagnose: 'npx lastbyte diagnose http://127.0.0.1:8000',
      running: 0,
      unlisted: 0,
      ...tally.counted(),
      now,
      upstream: tally.profile(),
    }),
  });
  const done = (id: string): void => {
    ring.done({ ...DELIVERED, id });
    feed.changed();
  };
  return { ring, feed, done };
}

test('events are gathered, and only the newest state of an exchange is sent', () => {
  const { ring, feed, done } = setUp();
  const sink = new Sink();
  feed.add(sink, null, everything());
  expect(sink.take()).toEqual(['hello', 'summary']);
  ring.begun({ ...DELIVERED, id: 'a', clientPort: 1 }, null);
  feed.changed();
  done('a');
  vi.advanceTimersByTime(100);
  expect(sink.take()).toEqual(['exchange']);
  vi.advanceTimersByTime(1000);
  expect(sink.take()).toEqual(['summary']);
});

test('a watcher that does not read is written nothing, and then told how many it missed', () => {
  const { feed, done } = setUp(10);
  const sink = new Sink();
  feed.add(sink, null, everything());
  sink.take();
  sink.congested = true;
  for (let id = 0; id < 500; id += 1) done(String(id));
  vi.advanceTimersByTime(5000);
  expect(sink.text).toBe('');
  sink.congested = false;
  vi.advanceTimersByTime(100);
  expect(sink.text).toContain('event: dropped\ndata: {"count":490}\n\n');
  expect(sink.take().filter((name) => name === 'exchange')).toHaveLength(10);
});

test('many exchanges are sent in parts', () => {
  const { feed, done } = setUp();
  const sink = new Sink();
  feed.add(sink, null, everything());
  sink.take();
  for (let id = 0; id < 450; id += 1) done(String(id));
  const sent = [1, 2, 3, 4].map(() => {
    vi.advanceTimersByTime(100);
    return sink.take().length;
  });
  expect(sent).toEqual([200, 200, 50, 0]);
});

test('a filter lets pass what is over and fits', () => {
  const { ring, feed, done } = setUp();
  const sink = new Sink();
  feed.add(sink, null, everything('problems=1'));
  ring.begun({ ...DELIVERED, id: 'a', clientPort: 1 }, null);
  done('b');
  ring.done({ ...DELIVERED, id: 'c', outcome: 'cut', verdict: 'truncated', error: 'response_truncated' });
  feed.changed();
  sink.take();
  vi.advanceTimersByTime(100);
  expect(sink.take()).toEqual(['exchange']);
});

test('a watcher that reads nothing for a minute is ended, and the others go on', () => {
  const { feed, done } = setUp();
  const [dead, alive] = [new Sink(), new Sink()];
  feed.add(dead, null, everything());
  feed.add(alive, null, everything());
  dead.congested = true;
  vi.advanceTimersByTime(60_000);
  expect([dead.ended, alive.ended]).toEqual([true, false]);
  expect(alive.text).toContain('\n\n:\n\n');
  done('a');
  vi.advanceTimersByTime(100);
  expect(alive.take()).toContain('exchange');
});

test('nobody watches: no clock runs', () => {
  const { feed, done } = setUp();
  const leave = feed.add(new Sink(), null, everything());
  done('a');
  leave();
  done('b');
  expect(vi.getTimerCount()).toBe(0);
  const sink = new Sink();
  feed.add(sink, 0, everything());
  feed.close();
  expect([vi.getTimerCount(), sink.ended]).toEqual([0, true]);
});
