/** The private folder that holds spool files, and the files, which have no name from the moment they are open. */

import { closeSync, existsSync, mkdtempSync, openSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SpoolFolder {
  readonly #parent: string;
  #path: string | null = null;
  #nextFile = 0;

  /** @param parent folder to make the private folder in; null: the system's temp folder */
  constructor(parent: string | null) {
    this.#parent = parent ?? tmpdir();
  }

  /**
   * Opens a new empty file for reading and writing and unlinks it, so that a crash leaves nothing behind.
   * @throws the system's error (ENOSPC, EMFILE, EACCES …)
   */
  openFile(): number {
    // Cleaners of temp folders take an old one away while we run.
    if (this.#path !== null && !existsSync(this.#path)) this.#path = null;
    this.#path ??= mkdtempSync(join(this.#parent, 'lastbyte-'));
    const path = join(this.#path, String(this.#nextFile++));
    const fd = openSync(path, 'wx+', 0o600);
    try {
      unlinkSync(path);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return fd;
  }

  remove(): void {
    if (this.#path !== null) rmSync(this.#path, { recursive: true, force: true });
    this.#path = null;
  }
}
