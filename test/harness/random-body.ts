/** Bodies that are all different and the same in every run, and the numbers that choose among them. */

import { createHash } from 'node:crypto';

/** A whole number from 0 up to, and without, `below`. */
export type Random = (below: number) => number;

/** mulberry32: small, and the same on every machine. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Every body is its own: one that reaches the wrong client, or reaches it in part, is seen at once. */
export function bodyOf(target: string): string {
  const digest = createHash('sha256').update(target).digest('hex');
  const length = Number.parseInt(digest.slice(0, 4), 16) % 40_000;
  return `${target} `.padEnd(length, digest);
}

/** `body` in chunks of `size` bytes and the last chunk. */
export function inChunks(body: string, size: number): string {
  const pieces = body.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
  return `${pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')}0\r\n\r\n`;
}
