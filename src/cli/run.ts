/** `lastbyte [target] [-- command]`: runs the proxy until a signal arrives or the command that it has started ends. */

import { setTimeout as delay } from 'node:timers/promises';
import { fileOf } from '../config/resolve.ts';
import type { Sources } from '../config/resolve.ts';
import type { Settings } from '../config/settings.ts';
import { isLoopback, targetUrl } from '../config/target.ts';
import { formatDuration } from '../config/units.ts';
import { Proxy } from '../server/proxy.ts';
import { startChild } from './child.ts';
import type { Child } from './child.ts';
import { LiveLog, reload } from './reload.ts';
import { checkUpstream, startFailure } from './start-failure.ts';
import { FAILURE, SUCCESS } from './commands.ts';
import type { Output, Streams } from './commands.ts';
import { nowhere, WarmUp } from './warm-up.ts';

export interface RunOptions {
  readonly sources: Sources;
  readonly settings: Settings;
  readonly streams: Streams;
  readonly version: string;
  /** Starts the server, without a shell; null: it runs already. */
  readonly command: readonly string[] | null;
}

/** Returns the command's exit code. Without a command, 0: stopped cleanly; 1: did not start, or a second signal cut exchanges. */
export async function run(options: RunOptions): Promise<number> {
  const { settings, streams, version, command } = options;
  const proxy = await startProxy(settings, streams);
  if (proxy === null) return FAILURE;
  const start = command === null ? null : await startChild(command, options.sources.env);
  if (start?.kind === 'failed') {
    streams.stderr.write(`${start.sentence}\n`);
    await proxy.close();
    return start.code;
  }
  const live = openLog(options, logStream(options));
  logEvents(proxy, live);
  const { url, adminUrl } = proxy;
  live.log.banner({ version, url, target: targetUrl(settings.target), adminUrl });
  const exposure = adminExposure(proxy, settings);
  if (exposure !== null) live.log.warn(exposure);
  const warmUp = warmUpFor(proxy, options);
  const child = start?.child ?? null;
  const stop = await serve(options, proxy, live, child);
  warmUp.stop();
  await child?.endWithin(settings.shutdownTimeoutMs);
  if (stop === 'destroyed') live.log.warn('second signal: exchanges under way were cut');
  const code = child === null ? (stop === 'closed' ? SUCCESS : FAILURE) : await child.exited;
  // Node would wait forever for a pipe that nobody reads.
  if (!(await live.close())) process.exit(code);
  return code;
}

/** A command has stdout to itself: the log then goes to stderr, with a prefix on each line. */
function logStream({ streams, command }: RunOptions): Output {
  return command === null ? streams.stdout : streams.stderr;
}

function openLog({ settings, sources, command }: RunOptions, stream: Output): LiveLog {
  const color = stream.isTTY === true && !sources.env['NO_COLOR'];
  return new LiveLog(settings, stream, color, command === null ? '' : '[lastbyte] ');
}

/** Its exchanges are logged as those of clients are, except that nobody reads it. */
function warmUpFor(proxy: Proxy, options: RunOptions): WarmUp {
  const observe = (second: Proxy): void => logEvents(second, openLog(options, nowhere(logStream(options))));
  return new WarmUp(proxy, { settings: options.settings, observe });
}

function logEvents(proxy: Proxy, live: LiveLog): void {
  proxy.on('exchange', (record) => live.log.exchange(record));
  proxy.on('adminError', ({ message, stack }) => {
    live.log.error(`the admin listener failed at something and goes on: ${message}`, { stack });
  });
  proxy.on('acceptError', ({ message }) => live.log.error(`a connection could not be accepted: ${message}`));
  proxy.on('waiting', ({ sentence }) => live.log.info(sentence));
  proxy.on('strayBytes', ({ sentence }) => live.log.warn(sentence));
}

/** Resolves when the proxy has stopped, because of a signal or the command's end. */
async function serve(
  { sources, settings, command }: RunOptions,
  proxy: Proxy,
  live: LiveLog,
  child: Child | null,
): Promise<Stop> {
  let current = settings;
  const onHangup = (): void => {
    child?.pass('SIGHUP');
    if (child === null || fileOf(sources) !== null) current = reload(sources, current, proxy, live);
  };
  process.on('SIGHUP', onHangup);
  const stopped = untilStopped(child === null ? proxy : proxyWith(proxy, child, settings), (signal) => {
    child?.pass(signal);
    live.log.info(stoppingNotice(signal, proxy));
  });
  const ended = child === null ? stopped : Promise.race([stopped, afterCommandEnded(child, proxy)]);
  const startupMs = child === null ? 0 : Math.max(settings.waitForUpstreamMs, MIN_STARTUP_MS);
  const upstreamCheck = checkUpstream(settings, [proxy.url, proxy.adminUrl], startupMs);
  void upstreamCheck.sentence.then((sentence) => {
    if (sentence !== null) live.log.info(`${sentence}${portHint(sources, command)}`);
  });
  const stop = await ended;
  upstreamCheck.cancel();
  process.off('SIGHUP', onHangup);
  return stop;
}

/** The command may not read the PORT variable. */
function portHint({ target, env }: Sources, command: readonly string[] | null): string {
  if (command === null || target === undefined || target !== env['PORT']) return '';
  const [name] = command;
  return `; ${name} was given PORT=${target}: if it does not read that, name the port that it takes, lastbyte 8000 -- ${name} …`;
}

/** A server that was just started needs some time, even if --wait-for-upstream is 0. */
const MIN_STARTUP_MS = 5_000;

function proxyWith(
  proxy: Proxy,
  child: Child,
  { shutdownTimeoutMs }: Settings,
): Parameters<typeof untilStopped>[0] {
  return {
    close: async () => {
      await Promise.all([proxy.close(), child.endWithin(shutdownTimeoutMs)]);
    },
    destroy: () => {
      child.pass('SIGKILL');
      proxy.destroy();
    },
  };
}

/** How long to go on reading what the command sent before it ended. */
const LAST_BYTES_MS = 250;

/** Once the command ends, the server is gone: complete responses are delivered, all other requests refused. */
async function afterCommandEnded(child: Child, proxy: Proxy): Promise<Stop> {
  await child.exited;
  const closed = proxy.close();
  await Promise.race([closed, delay(LAST_BYTES_MS)]);
  proxy.refuseWaiting();
  await closed;
  return 'closed';
}

function stoppingNotice(signal: NodeJS.Signals, { running, settings }: Proxy): string {
  if (running === 0) return `${signal}: finishing, no exchange is under way`;
  const exchanges = running === 1 ? 'one exchange' : `${running} exchanges`;
  const second = signal === 'SIGINT' ? 'a second Ctrl-C' : 'a second signal';
  const limit = formatDuration(settings.shutdownTimeoutMs);
  return `${signal}: finishing ${exchanges} under way, up to ${limit}; ${second} ends at once`;
}

/** Null: it could not start, and stderr says why. */
async function startProxy(settings: Settings, { stderr }: Streams): Promise<Proxy | null> {
  try {
    const proxy = new Proxy(settings);
    await proxy.start();
    return proxy;
  } catch (error) {
    stderr.write(`${startFailure(error, settings)}\n`);
    return null;
  }
}

/** A warning, because the admin listener has no password; null: only this machine can reach it. */
function adminExposure(proxy: Proxy, { adminHost }: Settings): string | null {
  if (proxy.adminUrl === null || isLoopback(adminHost)) return null;
  return (
    `the admin listener at ${proxy.adminUrl} is open to other machines, and asks for no password: ` +
    'in a container, publish its port on 127.0.0.1 only; elsewhere, set --admin-host 127.0.0.1'
  );
}

interface Stoppable {
  close(): Promise<void>;
  destroy(): void;
}

/** How the proxy stopped: `destroyed` if a second signal cut exchanges. */
type Stop = 'closed' | 'destroyed';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/**
 * Under npx and `npm run`, Ctrl-C reaches us twice: from the terminal, and from npm, which forwards its own copy
 * (@npmcli/run-script, signal-manager.js). A signal counts as the second one only after this time.
 */
const ECHO_MS = 500;

/** Resolves when a signal has stopped the proxy; `onStopping` gets the first signal. */
function untilStopped(proxy: Stoppable, onStopping: (signal: NodeJS.Signals) => void): Promise<Stop> {
  return new Promise<Stop>((resolve, reject) => {
    let firstAtMs: number | null = null;
    let stop: Stop = 'closed';
    const settle = (): void => {
      // A copy that arrives now must not kill the process while it writes its last lines; if it hangs, a later signal may.
      setTimeout(() => {
        for (const name of STOP_SIGNALS) process.off(name, onSignal);
      }, ECHO_MS).unref();
      resolve(stop);
    };
    const onSignal = (signal: NodeJS.Signals): void => {
      const nowMs = performance.now();
      if (firstAtMs === null) {
        firstAtMs = nowMs;
        proxy.close().then(settle, reject);
        // Only now: a reader of this line may rely on it that no more connections are accepted.
        onStopping(signal);
      } else if (nowMs - firstAtMs >= ECHO_MS) {
        stop = 'destroyed';
        // `close` resolves soon: the exchanges that are cut only write their records.
        proxy.destroy();
      }
    };
    for (const name of STOP_SIGNALS) process.on(name, onSignal);
  });
}
