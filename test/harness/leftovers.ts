/** What is left after a test. */

/** What keeps the process alive that did not before, timers and sockets among it. */
export function gained(before: readonly string[]): string[] {
  const left = [...before];
  return process.getActiveResourcesInfo().filter((name) => {
    const at = left.indexOf(name);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** Waits a bounded number of turns for what is on its way out, and tells what is still there. */
export async function settled(leftovers: () => string[]): Promise<string[]> {
  for (let turn = 0; turn < 2000 && leftovers().length > 0; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return leftovers();
}
