/** The public API of `lastbyte/middleware`. */

export { createMiddleware } from './server/middleware.ts';
export type { Middleware, MiddlewareOptions } from './server/middleware.ts';
export type { ProxyEvents } from './server/proxy.ts';
export type { ExchangeRecord } from './exchange/events.ts';
export { ConfigError } from './config/fault.ts';
