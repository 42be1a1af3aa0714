/** Who lives in the namespaces: real servers, lastbyte, and clients that tell what they got. */

import { once } from 'node:events';
import path from 'node:path';
import type { Interface } from 'node:readline';
import { BIN } from '../harness/lastbyte.ts';
import { pythonWith } from '../real/python.ts';
import { whyMissing } from '../real/servers.ts';
import { PYTHON, type Inhabitant, type Lab } from './lab.ts';

const APPS = path.join(import.meta.dirname, '..', 'real', 'apps');
const CLIENT = path.join(import.meta.dirname, 'client.py');

const SERVERS = {
  'Django runserver': {
    module: 'django',
    port: 8000,
    args: ['django_app.py', 'runserver', '--noreload', '0.0.0.0:8000'],
  },
  'Flask (Werkzeug)': {
    module: 'flask',
    port: 8001,
    args: ['-m', 'flask', '--app', 'flask_app', 'run', '--host', '0.0.0.0', '--port', '8001'],
  },
} as const;

export type NetServer = keyof typeof SERVERS;

/** Why the real servers cannot run here, as a sentence; null when they can. */
export function whyNoServers(): string | null {
  return whyMissing('Django runserver') ?? whyMissing('Flask (Werkzeug)');
}

/** Starts the server on every address of a namespace; gives its port. */
export async function startServerIn(lab: Lab, where: string, name: NetServer): Promise<number> {
  const { module, port, args } = SERVERS[name];
  lab.run(where, pythonWith(module) ?? PYTHON, args, APPS).lines.resume();
  await accepts(lab, where, port);
  return port;
}

/** Starts lastbyte on every address of a namespace. Its log is JSON, line by line. */
export async function startLastbyteIn(
  lab: Lab,
  where: string,
  port: number,
  target: string,
  ...options: string[]
): Promise<Inhabitant> {
  const listen = ['--host', '0.0.0.0', '--port', String(port), '--no-admin', '--access-log', 'json'];
  const lastbyte = lab.run(where, process.execPath, [BIN, target, ...listen, ...options]);
  await accepts(lab, where, port);
  return lastbyte;
}

async function accepts(lab: Lab, where: string, port: number): Promise<void> {
  const { child } = lab.run(where, PYTHON, [CLIENT, 'accepts', '127.0.0.1', String(port)]);
  await once(child, 'exit');
  if (child.exitCode !== 0) throw new Error(`nobody accepts connections on port ${port} in ${where}`);
}

export type Upload = 'none' | `length:${number}` | `chunked:${number}`;

export interface Asked {
  readonly host: string;
  readonly port: number;
  readonly bytes: number;
  readonly upload: Upload;
}

/** What a client got. */
export interface Got {
  readonly status: number;
  readonly end: 'whole' | 'fin' | 'reset' | 'timeout';
  /** The body is, byte for byte, the one that was asked for. */
  readonly same: boolean;
  readonly bytes: number;
  readonly ms: number;
  /** The body of what is no 200. */
  readonly text: string;
}

type Line = { readonly kind: 'begun' } | ({ readonly kind: 'ended' } & Got);

/** A client that is asking. */
export interface Asking {
  /** Resolves when the head of the first response is there, or the client has ended without one. */
  begun(): Promise<void>;
  all(): Promise<readonly Got[]>;
}

/** Asks as often as told, one after the other, each time on a connection of its own with Connection: close. */
export function ask(lab: Lab, where: string, { host, port, bytes, upload }: Asked, tries: number): Asking {
  const args = [CLIENT, 'ask', host, String(port), `/bytes/${bytes}`, upload, String(tries)];
  const { lines } = lab.run(where, PYTHON, args);
  const got: Got[] = [];
  const over = once(lines, 'close');
  const begun = new Promise<void>((resolve) => {
    lines.on('line', (text) => {
      const line: Line = JSON.parse(text);
      if (line.kind === 'begun') resolve();
      else got.push(line);
    });
  });
  return {
    begun: async () => {
      await Promise.race([begun, over]);
    },
    all: async () => {
      await over;
      return got;
    },
  };
}

/** What lastbyte logged of an exchange, as far as it is looked at here. */
export interface Logged {
  readonly status: number;
  readonly outcome: string;
  readonly error: string | null;
  readonly why: string | null;
}

/** The exchanges that lastbyte logs from now on, in order. */
export function records(lines: Interface): { next(): Promise<Logged> } {
  const exchanges: Logged[] = [];
  lines.on('line', (text) => {
    const line: Logged & { readonly event?: string } = JSON.parse(text);
    if (line.event === 'exchange') exchanges.push(line);
  });
  return {
    next: async () => {
      for (;;) {
        const first = exchanges.shift();
        if (first !== undefined) return first;
        await once(lines, 'line');
      }
    },
  };
}
