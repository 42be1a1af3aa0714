/** What an exchange is told that the proxy's end does not leave time for. */

import type { Settings } from '../config/settings.ts';
import { ProxyError } from '../errors.ts';
import { duration } from './quantities.ts';

export function shuttingDown({ shutdownTimeoutMs }: Pick<Settings, 'shutdownTimeoutMs'>): ProxyError {
  const sentence =
    `lastbyte is shutting down, and the exchange was not over within --shutdown-timeout, ${duration(shutdownTimeoutMs)}: ` +
    'send the request again when it runs again, or raise --shutdown-timeout.';
  return new ProxyError('shutting_down', sentence);
}
