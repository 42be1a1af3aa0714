/** The public API of `lastbyte/vite`. */

export { lastbyte as default } from './server/vite-plugin.ts';
export type {
  EntriesOptions,
  ProxyEntries,
  ProxyEntry,
  VitePlugin,
  ViteServer,
} from './server/vite-plugin.ts';
export { ConfigError } from './config/fault.ts';
