/** The pages that say whether the process lives and its upstream answers. */

import { textAnswer } from '../observe/pages.ts';
import type { AdminPage } from '../observe/pages.ts';

/** @param ready whether the upstream takes connections */
export function healthPages(ready: () => Promise<boolean>): readonly AdminPage[] {
  const probe = shared(ready);
  return [
    { path: '/healthz', method: 'GET', answer: () => textAnswer(200, 'ok') },
    {
      path: '/readyz',
      method: 'GET',
      answer: async () =>
        (await probe())
          ? textAnswer(200, 'The upstream takes connections.')
          : textAnswer(503, 'The upstream cannot be reached: see that it runs, and the log for the reason.'),
    },
  ];
}

/** One question at a time to the upstream, however many ask here. A probe that fails is a no. */
function shared(ready: () => Promise<boolean>): () => Promise<boolean> {
  let underWay: Promise<boolean> | null = null;
  const ask = async (): Promise<boolean> => {
    try {
      return await ready();
    } catch {
      return false;
    } finally {
      underWay = null;
    }
  };
  return () => (underWay ??= ask());
}
