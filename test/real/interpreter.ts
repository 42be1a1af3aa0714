/** Finds the interpreter of a language that has what a real server or client needs. */

import { spawnSync } from 'node:child_process';
import { found } from '../harness/found.ts';

interface Language {
  readonly name: string;
  readonly program: string;
  /** Arguments with which it ends well only if it can load this library. */
  readonly probe: (library: string) => readonly string[];
}

const LANGUAGES = {
  python: {
    name: 'Python 3',
    program: 'python3',
    probe: (library) => ['-c', `import ${library}`],
  },
  ruby: {
    name: 'Ruby',
    program: 'ruby',
    probe: (library) => ['-e', `require '${library}'`],
  },
  php: {
    name: 'PHP',
    program: 'php',
    probe: (library) => ['-r', `exit(extension_loaded('${library}') ? 0 : 1);`],
  },
} as const satisfies Record<string, Language>;

export type LanguageName = keyof typeof LANGUAGES;

const chosen = new Map<string, string | null>();

/** The first interpreter of the language that can load this library, or null. */
export function interpreterWith(language: LanguageName, library: string): string | null {
  const key = `${language} ${library}`;
  const known = chosen.get(key);
  if (known !== undefined) return known;
  const { program, probe } = LANGUAGES[language];
  const canLoad = (file: string): boolean =>
    spawnSync(file, probe(library), { stdio: 'ignore' }).status === 0;
  const interpreter = found(program).find(canLoad) ?? null;
  chosen.set(key, interpreter);
  return interpreter;
}

export const languageName = (language: LanguageName): string => LANGUAGES[language].name;
