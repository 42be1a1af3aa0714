/** The scene of a run: an origin that serves files, and the peers in front of it, each in a folder of its own. */

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startMeasured, startOrigin, type Peer } from './peers.ts';
import { freePort } from '../test/harness/ports.ts';
import type { RunningCommand } from '../test/harness/process.ts';

export interface Size {
  readonly name: string;
  readonly bytes: number;
}

export const SIZES: readonly Size[] = [
  { name: '1 KB', bytes: 1024 },
  { name: '50 KB', bytes: 50 * 1024 },
  { name: '1 MB', bytes: 1024 * 1024 },
  { name: '10 MB', bytes: 10 * 1024 * 1024 },
];

export interface Running {
  readonly peer: Peer;
  readonly url: string;
  readonly child: RunningCommand;
}

export class Scene implements AsyncDisposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'lastbyte-bench-'));
  readonly #root = join(this.folder, 'files');
  readonly #bodies = new Map<number, Buffer>();
  readonly #children: RunningCommand[] = [];
  readonly originPort: number;

  get originUrl(): string {
    return `http://127.0.0.1:${this.originPort}`;
  }

  private constructor(originPort: number) {
    this.originPort = originPort;
  }

  static async open(): Promise<Scene> {
    const scene = new Scene(await freePort());
    mkdirSync(scene.#root);
    const folder = scene.subfolder('origin');
    const origin = startOrigin(folder, scene.originPort, scene.#root);
    scene.#children.push(origin);
    await origin.listening(scene.originPort);
    return scene;
  }

  /** A path on the origin whose response is so large. */
  path(bytes: number): string {
    if (!this.#bodies.has(bytes)) {
      const body = randomBytes(bytes);
      this.#bodies.set(bytes, body);
      writeFileSync(join(this.#root, String(bytes)), body);
    }
    return `/${bytes}`;
  }

  async start(peer: Peer): Promise<Running> {
    const isDirect = peer.name === 'direct';
    const port = isDirect ? this.originPort : await freePort();
    const child = await this.startBefore(this.originPort, port, peer, peer.name);
    return { peer, url: `http://127.0.0.1:${port}`, child };
  }

  async restart({ peer, child }: Running): Promise<Running> {
    await child[Symbol.asyncDispose]();
    return await this.start(peer);
  }

  /** The same before another upstream; it ends with the scene. Resolves when it listens. */
  async startBefore(upstreamPort: number, port: number, peer: Peer, name: string): Promise<RunningCommand> {
    const folder = this.subfolder(name);
    const child = startMeasured(folder, peer.command({ upstreamPort, port, folder }));
    this.#children.push(child);
    await child.listening(port);
    return child;
  }

  subfolder(name: string): string {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** @throws when the response is not the file, byte for byte */
  async expectRight(url: string, bytes: number): Promise<void> {
    const response = await fetch(`${url}${this.path(bytes)}`);
    const got = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200 || this.#bodies.get(bytes)?.equals(got) !== true)
      throw new Error(`${url}: a wrong answer, ${response.status} with ${got.length} of ${bytes} bytes`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.toReversed()) await child[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
