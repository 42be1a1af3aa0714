/** Which of the ports that dev servers usually take answers on this machine: perhaps the one that was meant. */

import type { Target } from '../config/settings.ts';
import { isLoopback } from '../config/target.ts';
import { openConnection } from './dial.ts';

/** Rails and Node, Angular, Astro, Flask, Vite, Django and http.server, webpack and Tomcat, Jupyter, PHP. */
const USUAL_PORTS: readonly number[] = [
  3000, 3001, 4000, 4200, 4321, 5000, 5173, 5174, 8000, 8001, 8080, 8888, 9000,
];
/** macOS itself answers there (AirPlay). */
const NOBODYS_SERVER = process.platform === 'darwin' ? 5000 : null;

/** Loopback answers at once, or never. */
const TIMEOUT_MS = 200;

/** Empty where the target is another machine. Each port is connected to, and nothing is sent. @param except ports of our own */
export async function answeringPorts(target: Target, except: readonly number[]): Promise<readonly number[]> {
  if (target.kind === 'unix' || !isLoopback(target.host)) return [];
  const others = USUAL_PORTS.filter(
    (port) => port !== target.port && port !== NOBODYS_SERVER && !except.includes(port),
  );
  const answers = await Promise.all(others.map(accepts));
  return others.filter((_, index) => answers[index]);
}

async function accepts(port: number): Promise<boolean> {
  const target: Target = { kind: 'tcp', tls: false, host: 'localhost', port };
  const result = await openConnection({ target, insecure: false, timeoutMs: TIMEOUT_MS }).result;
  if (result.kind === 'connected') result.connection.destroy();
  return result.kind === 'connected';
}
