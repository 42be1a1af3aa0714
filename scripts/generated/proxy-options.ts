/** src/config/proxy-options.ts: the option table as the type of what a program gives. */

import { defaultOf, OPTIONS, propertyOf } from '../../src/config/option-table.ts';
import type { AnyOption } from '../../src/config/option-type.ts';

const HEADER = `/** What a program may give to \`createProxy\`. Written by scripts/generate.ts from the option table. */

import type { Settings } from './settings.ts';

/** Bytes, or a size such as \`'16mb'\` (units are powers of 1024). */
export type Size = number | string;

/** Milliseconds, or a time such as \`'30s'\`. */
export type Duration = number | string;

/** Each option may be left out. What each is for, and what the units are, is in docs/configuration.md. */
export interface ProxyOptions {
`;

export function proxyOptions(): string {
  return `${HEADER}${OPTIONS.map(member).join('')}}\n`;
}

function member({ name, setting, purpose, type }: AnyOption): string {
  const types = { bytes: 'Size', ms: 'Duration' };
  const plain = setting === 'target' ? 'string' : `Settings['${setting}']`;
  const written = type.unit === null ? plain : types[type.unit];
  return [
    `  /** ${inProgram(purpose)}`,
    `   *  @default ${literal(defaultOf(setting))} */`,
    `  readonly ${propertyOf(name)}?: ${written} | undefined;`,
    '',
  ].join('\n');
}

/** A program has no flags: `--no-admin` is `admin: false`, `--tls-cert` is `tlsCert`. */
function inProgram(purpose: string): string {
  return purpose.replaceAll(/--(no-)?([a-z-]+)/g, (flag, negated: string | undefined, name: string) => {
    const option = OPTIONS.find((candidate) => candidate.name === name);
    if (option === undefined) return flag;
    return negated === undefined ? `\`${propertyOf(option.name)}\`` : `\`${propertyOf(option.name)}: false\``;
  });
}

function literal(value: unknown): string {
  return JSON.stringify(value).replaceAll('"', "'").replaceAll("','", "', '");
}
