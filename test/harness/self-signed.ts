/** A certificate for one test run, made by the openssl command. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Null: there is no openssl command here, or it fails. */
export function selfSigned(): Certificate | null {
  const folder = mkdtempSync(join(tmpdir(), 'lastbyte-cert-'));
  try {
    const certPath = join(folder, 'cert.pem');
    const keyPath = join(folder, 'key.pem');
    const made = spawnSync('openssl', [
      'req',
      '-x509',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-keyout',
      keyPath,
      '-out',
      certPath,
    ]);
    return made.status === 0 ? { cert: readFileSync(certPath), key: readFileSync(keyPath) } : null;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
