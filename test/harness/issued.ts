/** Certificates for localhost with a fault each, made by the openssl command. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export interface Issued {
  readonly certPath: string;
  readonly keyPath: string;
}

/** For localhost, signed by itself, or by `by`; one that signs others has the name `authority`. Null: there is no openssl command here, or it fails. */
export function issued(folder: string, name: string, days: number, by?: Issued): Issued | null {
  const [certPath, keyPath, requestPath] = ['cert', 'key', 'csr'].map((kind) =>
    join(folder, `${name}.${kind}.pem`),
  );
  if (certPath === undefined || keyPath === undefined || requestPath === undefined) return null;
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const asked = openssl([
    'req',
    '-new',
    '-nodes',
    ...curve,
    '-subj',
    `/CN=${name === 'authority' ? name : 'localhost'}`,
    '-keyout',
    keyPath,
    '-out',
    requestPath,
  ]);
  const signer =
    by === undefined ? ['-signkey', keyPath] : ['-CA', by.certPath, '-CAkey', by.keyPath, '-CAcreateserial'];
  const signed =
    asked &&
    openssl(['x509', '-req', '-in', requestPath, ...signer, '-days', String(days), '-out', certPath]);
  return signed ? { certPath, keyPath } : null;
}

function openssl(args: readonly string[]): boolean {
  return spawnSync('openssl', args).status === 0;
}
