/** Ports of this machine that nobody listens on. */

const FIRST = 19_000;
let next = FIRST + Math.floor(Math.random() * 8000);

/** Below the range that the system gives to clients, so that none of their connections takes it meanwhile. */
export function freePort(): number {
  next += 1;
  return next;
}
