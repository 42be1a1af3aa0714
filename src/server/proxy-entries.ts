/** Entries as Vite has them in `server.proxy`. */

import type { SharedOptions } from './shared-options.ts';

/** Names and meanings are those of Vite's `server.proxy`. */
export interface ProxyEntry {
  /** The server to ask: `http://127.0.0.1:8000`; a path in it comes before each path that is asked for. */
  readonly target: string | URL;
  /** Send the target's own name in Host.
   *  @default false; true for an entry that is a target alone */
  readonly changeOrigin?: boolean | undefined;
  /** Path and query as they go on. */
  readonly rewrite?: ((path: string) => string) | undefined;
  /** Whether an https target must have a certificate that can be verified.
   *  @default true */
  readonly secure?: boolean | undefined;
  /** Sent in the place of the client's fields of the same names. */
  readonly headers?: Readonly<Record<string, string | number | readonly string[]>> | undefined;
  /** Pass WebSockets on, too.
   *  @default false, unless the target is ws:// or wss:// */
  readonly ws?: boolean | undefined;
}

/** By how the path begins (`'/api'`), or a regular expression for path and query (`'^/api/v\\d+/'`). */
export type ProxyEntries = Readonly<Record<string, string | ProxyEntry>>;

/** Options that hold for all entries. */
export type EntriesOptions = Omit<SharedOptions, 'target' | 'changeOrigin' | 'insecure'>;
