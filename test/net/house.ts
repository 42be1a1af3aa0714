/** Who lives in the namespaces: real servers, lastbyte, and clients that tell what they got. */

import { once } from 'node:events';
import path from 'node:path';
import { PYTHON, type Inhabitant, type Lab } from './lab.ts';

const APPS = path.join(import.meta.dirname, '..', 'real', 'apps');
const BIN = path.join(import.meta.dirname, '..', '..', 'dist', 'bin.js');
const CLIENT = path.join(import.meta.dirname, 'client.py');

const SERVERS = {
  'Django runserver': { port: 8000, args: ['django_app.py', 'runserver', '--noreload', '0.0.0.0:8000'] },
  'Flask (Werkzeug)': {
    port: 8001,
    args: ['-m', 'flask', '--app', 'flask_app', 'run', '--host', '0.0.0.0', '--port', '8001'],
  },
} as const;

export type NetServer = keyof typeof SERVERS;

/** Starts the server on every address of a namespace; gives its port. */
export async function startServerIn(lab: Lab, where: string, name: NetServer): Promise<number> {
  const { port, args } = SERVERS[name];
  lab.run(where, PYTHON, args, APPS).lines.resume();
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
  /** The body is, octet for octet, the one that was asked for. */
  readonly same: boolean;
  readonly bytes: number;
  readonly ms: number;
  /** The body of what is no 200. */
  readonly text: string;
}

type Line = { readonly kind: 'begun' } | ({ readonly kind: 'ended' } & Got);

/** A client that is asking. */
export class Asking {
  readonly #client: Inhabitant;
  readonly #got: Got[] = [];
  readonly #begun: Promise<void>;
  readonly #over: Promise<unknown>;

  constructor(lab: Lab, where: string, { host, port, bytes, upload }: Asked, tries: number) {
    const args = [CLIENT, 'ask', host, String(port), `/bytes/${bytes}`, upload, String(tries)];
    this.#client = lab.run(where, PYTHON, args);
    this.#over = once(this.#client.lines, 'close');
    this.#begun = new Promise((resolve) => {
      this.#client.lines.on('line', (text) => {
        const line: Line = JSON.parse(text);
        if (line.kind === 'begun') resolve();
        else this.#got.push(line);
      });
    });
  }

  /** Resolves when the head of the first answer is there. */
  async begun(): Promise<void> {
    await Promise.race([this.#begun, this.#over]);
  }

  async all(): Promise<readonly Got[]> {
    await this.#over;
    return this.#got;
  }
}
