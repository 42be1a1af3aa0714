/** Follows the proxy: changed rows, the summary, and whether the connection is alive. */

/** @import { Row, SummaryView } from '../inspector/types.ts' */

const AGAIN_MS = 2000;

/**
 * @typedef {object} Follower
 * @property {(row: Row) => void} row
 * @property {(summary: SummaryView) => void} summary
 * @property {() => void} restarted the rows so far belong to an earlier process
 * @property {(state: 'live' | 'lost') => void} connection
 */

/** @param {Follower} follower */
export function follow(follower) {
  /** @type {string | null} */
  let startedAt = null;
  const open = () => {
    const source = new EventSource('/api/events?since=0');
    source.addEventListener('open', () => follower.connection('live'));
    source.addEventListener('exchange', ({ data }) => follower.row(JSON.parse(data)));
    source.addEventListener('summary', ({ data }) => {
      /** @type {SummaryView} */
      const summary = JSON.parse(data);
      if (startedAt !== null && startedAt !== summary.started_at) {
        // The browser remembers the revision of an earlier process: start again.
        startedAt = summary.started_at;
        source.close();
        follower.restarted();
        open();
        return;
      }
      startedAt = summary.started_at;
      follower.summary(summary);
    });
    source.addEventListener('error', () => {
      follower.connection('lost');
      // Closed: it was refused, and the browser does not reconnect on its own.
      if (source.readyState === EventSource.CLOSED) setTimeout(open, AGAIN_MS);
    });
  };
  open();
}
