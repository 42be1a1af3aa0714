/** Finds the interpreter of a language that has what a real server or client needs. */

import { spawnSync } from 'node:child_process';

interface Language {
  readonly name: string;
  /** The system's own first: a distribution installs Django or Puma for that one, not for one in a version manager. */
  readonly files: readonly string[];
  /** Arguments with which it ends well only if it can load this library. */
  readonly probe: (library: string) => readonly string[];
}

const LANGUAGES = {
  python: {
    name: 'Python 3',
    files: ['/usr/bin/python3', 'python3'],
    probe: (library) => ['-c', `import ${library}`],
  },
  ruby: {
    name: 'Ruby',
    files: ['/usr/bin/ruby', 'ruby'],
    probe: (library) => ['-e', `require '${library}'`],
  },
  php: {
    name: 'PHP',
    files: ['/usr/bin/php', 'php'],
    probe: (library) => ['-r', `exit(extension_loaded('${library}') ? 0 : 1);`],
  },
} as const satisfies Record<string, Language>;

export type LanguageName = keyof typeof LANGUAGES;

const found = new Map<string, string | null>();

/** The first interpreter of the language that can load this library, or null. */
export function interpreterWith(language: LanguageName, library: string): string | null {
  const key = `${language} ${library}`;
  const known = found.get(key);
  if (known !== undefined) return known;
  const { files, probe } = LANGUAGES[language];
  const canLoad = (file: string): boolean =>
    spawnSync(file, probe(library), { stdio: 'ignore' }).status === 0;
  const interpreter = files.find(canLoad) ?? null;
  found.set(key, interpreter);
  return interpreter;
}

export const languageName = (language: LanguageName): string => LANGUAGES[language].name;
