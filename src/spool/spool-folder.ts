/** Spool files: each is made in a private folder of its own, and has lost its name and folder before it is used. */

import { closeSync, mkdtempSync, openSync, rmdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class SpoolFolder {
  readonly #parent: string;

  /** @param parent folder to make the private folders in; null: the system's temp folder */
  constructor(parent: string | null) {
    this.#parent = parent ?? tmpdir();
  }

  /**
   * Opens a new empty file for reading and writing that has no name any more. Nothing with a name outlives this call,
   * so there is nothing to clean up: not at a stop, and not after a crash, where nobody could tell whose it was (in
   * containers that share a folder, every process has the number 1). Octets written later are the kernel's to free.
   * @throws the system's error (ENOSPC, EMFILE, EACCES …)
   */
  openFile(): number {
    // Mode 0700: nobody else can put anything in it, or take the file away, while it still has its name.
    const folder = mkdtempSync(join(this.#parent, 'lastbyte-'));
    try {
      return withoutName(join(folder, 'body'));
    } finally {
      rmdirSync(folder);
    }
  }
}

function withoutName(path: string): number {
  const fd = openSync(path, 'wx+', 0o600);
  try {
    unlinkSync(path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
