/** `lastbyte [target]`: runs the proxy until a signal ends it. */

import type { Sources } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import { isLoopback, targetUrl } from '../config/target.ts';
import { formatDuration } from '../config/units.ts';
import { absentAtStart } from './absent-at-start.ts';
import { createProxyFromSettings, type Proxy } from '../server/proxy.ts';
import { LiveLog } from './live-log.ts';
import { reload } from './reload.ts';
import { startFailure } from './start-failure.ts';
import { untilStopped } from './stop-signals.ts';
import type { Streams } from './streams.ts';

interface Run {
  readonly sources: Sources;
  readonly settings: Settings;
  readonly streams: Streams;
  readonly version: string;
}

/** The exit code: 0 ended in order, 1 could not start or was made to end at once. */
export async function run({ sources, settings, streams, version }: Run): Promise<number> {
  const proxy = await started(settings, streams);
  if (proxy === null) return 1;
  const { stdout } = streams;
  const live = new LiveLog(settings, stdout, stdout.isTTY === true && !sources.env['NO_COLOR']);
  proxy.on('exchange', (record) => live.log.exchange(record));
  proxy.on('adminError', ({ message, stack }) => {
    live.log.error(`the admin listener failed at something and goes on: ${message}`, { stack });
  });
  proxy.on('acceptError', ({ message }) => live.log.error(`a connection could not be accepted: ${message}`));
  proxy.on('waiting', ({ sentence }) => live.log.info(sentence));
  proxy.on('strayBytes', ({ sentence }) => live.log.warn(sentence));

  let wanted = settings;
  const onHangup = (): void => {
    wanted = reload(sources, wanted, proxy, live);
  };
  process.on('SIGHUP', onHangup);
  const stopped = untilStopped(proxy, (signal) => live.log.info(stoppingNotice(signal, proxy)));
  // Last: whoever has read it may send signals.
  const { url, adminUrl } = proxy;
  live.log.banner({ version, url, target: targetUrl(settings.target), adminUrl });
  const exposure = adminExposure(proxy, settings);
  if (exposure !== null) live.log.warn(exposure);
  const absent = absentAtStart(settings, [url, adminUrl]);
  void absent.sentence.then((sentence) => {
    if (sentence !== null) live.log.info(sentence);
  });
  const stop = await stopped;
  absent.cancel();
  process.off('SIGHUP', onHangup);

  if (stop === 'destroyed') live.log.warn('second signal: exchanges under way were cut');
  const code = stop === 'closed' ? 0 : 1;
  // Node would wait for ever for what is written to a pipe that nobody reads.
  if (!(await live.close())) process.exit(code);
  return code;
}

function stoppingNotice(signal: NodeJS.Signals, { running, settings }: Proxy): string {
  if (running === 0) return `${signal}: finishing, no exchange is under way`;
  const exchanges = running === 1 ? 'one exchange' : `${running} exchanges`;
  const second = signal === 'SIGINT' ? 'a second Ctrl-C' : 'a second signal';
  const limit = formatDuration(settings.shutdownTimeoutMs);
  return `${signal}: finishing ${exchanges} under way, up to ${limit}; ${second} ends at once`;
}

/** Null, and a sentence on stderr, when it cannot start. */
async function started(settings: Settings, { stderr }: Streams): Promise<Proxy | null> {
  try {
    const proxy = createProxyFromSettings(settings);
    await proxy.start();
    return proxy;
  } catch (error) {
    stderr.write(`${startFailure(error, settings)}\n`);
    return null;
  }
}

/** The admin listener has no password: who can reach it is who may see. Null: only this machine. */
function adminExposure(proxy: Proxy, { adminHost }: Settings): string | null {
  if (proxy.adminUrl === null || isLoopback(adminHost)) return null;
  return (
    `the admin listener at ${proxy.adminUrl} is open to other machines, and asks for no password: ` +
    'in a container, publish its port on 127.0.0.1 only; elsewhere, set --admin-host 127.0.0.1'
  );
}
