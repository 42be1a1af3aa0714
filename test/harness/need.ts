/** What happens to a test whose program, library, right or system is not on this machine: skipped in words, or failed in CI. */

import { spawnSync } from 'node:child_process';
import { beforeEach, type TestContext } from 'vitest';
import { versionOf } from './process.ts';

/** In CI everything has been installed: what is missing there is a fault of the setup, and fails. */
const MUST_RUN = !['', 'false', undefined].includes(process.env['CI']);

/** How each program is asked for its version, and Debian's package of it. */
const PROGRAMS = {
  ab: ['-V', 'apache2-utils'],
  bash: ['--version', 'bash'],
  curl: ['--version', 'curl'],
  fish: ['--version', 'fish'],
  javac: ['-version', 'openjdk-17-jdk-headless'],
  mount: ['--version', 'mount'],
  openssl: ['version', 'openssl'],
  ps: ['--version', 'procps'],
  script: ['--version', 'bsdutils'],
  sh: ['-c', 'dash'],
  ss: ['-V', 'iproute2'],
  unshare: ['--version', 'util-linux'],
  wget: ['--version', 'wget'],
  zsh: ['--version', 'zsh'],
} as const;

export type Program = keyof typeof PROGRAMS;

/** Ends the test here when something is missing. The reporter (end-reporter.ts) adds the reasons up at the end. */
export function need(context: TestContext, ...missing: readonly (string | null)[]): void {
  const reason = missing.find((one) => one !== null);
  if (reason === undefined || reason === null) return;
  if (MUST_RUN) throw new Error(reason);
  context.skip(reason);
}

/** Why a test of what only Linux does cannot run here; null when it can. */
export const whyNotLinux = (): string | null =>
  process.platform === 'linux' ? null : 'This is known of Linux only.';

/** The same for each test of the file or the `describe` in which it is called. */
export function needForEach(...missing: readonly (string | null)[]): void {
  beforeEach((context) => need(context, ...missing));
}

const asked = new Map<Program, boolean>();

/** Why one of these programs cannot be run, as a sentence; null when all can. */
export function whyNo(...programs: readonly Program[]): string | null {
  const absent = programs.find((program) => !isHere(program));
  return absent === undefined
    ? null
    : `There is no ${absent} (Debian: apt-get install ${PROGRAMS[absent][1]}).`;
}

function isHere(program: Program): boolean {
  const known = asked.get(program) ?? versionOf(program, PROGRAMS[program][0]) !== null;
  asked.set(program, known);
  return known;
}

/** Why `script` can give no terminal to a program here; null when it can. */
export function whyNoTerminal(): string | null {
  const made = (): boolean =>
    spawnSync('script', ['--quiet', '--return', '--command', 'true', '/dev/null']).status === 0;
  return whyNo('script') ?? (made() ? null : 'There is no terminal to be had: script fails.');
}
