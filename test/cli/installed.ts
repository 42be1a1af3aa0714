/** lastbyte as its users get it: packed, and installed by npm into an empty folder. */

import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Finished } from '../harness/process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export class Installed implements Disposable {
  readonly folder: string;
  /** Paths in the tarball. */
  readonly files: readonly string[];

  private constructor(folder: string, files: readonly string[]) {
    this.folder = folder;
    this.files = files;
  }

  static async install(): Promise<Installed> {
    const folder = mkdtempSync(join(tmpdir(), 'lastbyte-installed-'));
    // Without its scripts: `prepack` would build again below the feet of the other tests.
    const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
    const { stdout } = await npm(pack, ROOT);
    const tarball = join(folder, stdout.trim());
    writeFileSync(join(folder, 'package.json'), '{ "name": "consumer", "private": true }\n');
    await npm(['install', tarball, '--prefer-offline', '--no-audit', '--no-fund', '--silent'], folder);
    const { stdout: listing } = spawnSync('tar', ['tzf', tarball], { encoding: 'utf8' });
    const files = listing.trim().split('\n');
    return new Installed(
      folder,
      files.map((file) => file.replace(/^package\//, '')),
    );
  }

  /** Runs a command in the folder, whose scripts find this Node first. */
  run(node: string, command: string, ...args: readonly string[]): Finished {
    const PATH = [dirname(node), process.env['PATH']].join(delimiter);
    const env = {
      PATH,
      HOME: process.env['HOME'],
      NODE_PENDING_DEPRECATION: '1',
      npm_config_loglevel: 'error',
    };
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: this.folder, env, encoding: 'utf8' });
    return { code: status, stdout, stderr };
  }

  /** Type-checks one source file there; empty: no complaint. */
  typeCheck(name: string, source: string, options: Readonly<Record<string, unknown>>): string {
    // A library's user has the types of Node, and no more of what we develop with.
    for (const types of ['@types/node', 'undici-types']) {
      mkdirSync(join(this.folder, 'node_modules', types), { recursive: true });
      cpSync(join(ROOT, 'node_modules', types), join(this.folder, 'node_modules', types), {
        recursive: true,
      });
    }
    writeFileSync(join(this.folder, name), source);
    const compilerOptions = { noEmit: true, strict: true, target: 'es2022', types: ['node'], ...options };
    const config = join(this.folder, 'tsconfig.json');
    writeFileSync(config, JSON.stringify({ compilerOptions, files: [name] }));
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    return this.run(process.execPath, tsc, '-p', config).stdout;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

async function npm(args: readonly string[], cwd: string): Promise<{ readonly stdout: string }> {
  return await promisify(execFile)('npm', args, { cwd });
}
