/** What package-lock.json says of the packages that users get with this one. */

import { readFileSync } from 'node:fs';

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression; empty: not told. */
  readonly licence: string;
  readonly hasInstallScript: boolean;
}

const LOCK = new URL('../../package-lock.json', import.meta.url);

/** By name; one that lies in two folders counts once. */
export function productionPackages(): readonly LockedPackage[] {
  const lock: unknown = JSON.parse(readFileSync(LOCK, 'utf8'));
  const packages: readonly LockedPackage[] = Object.entries(objectOf(objectOf(lock)['packages'])).flatMap(
    ([folder, entry]) => {
      const { dev, version, license, hasInstallScript } = objectOf(entry);
      if (folder === '' || dev === true) return [];
      const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return [
        {
          name,
          version: textOf(version),
          licence: textOf(license),
          hasInstallScript: hasInstallScript === true,
        },
      ];
    },
  );
  const byNameAndVersion = new Map(packages.map((one) => [`${one.name} ${one.version}`, one]));
  return [...byNameAndVersion.keys()].sort().flatMap((key) => byNameAndVersion.get(key) ?? []);
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
