/** Interactive shells in a terminal of their own, which complete what is typed. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN } from '../harness/lastbyte.ts';
import { RunningCommand } from '../harness/process.ts';

/** What is typed to insert everything that fits, and then to have the line shown in <…> on a line of its own. */
const INSERT_ALL_AND_SHOW = '\u0018a\u0018s';

interface Shell {
  readonly command: string;
  readonly startFile: string;
  readonly start: string;
}

/** bash and zsh offer completion only to a person at a terminal; fish tells it anybody who asks. */
const SHELLS: Readonly<Record<'bash' | 'zsh', Shell>> = {
  bash: {
    command: 'bash --noprofile --rcfile .bashrc -i',
    startFile: '.bashrc',
    start: `source <(lastbyte completion bash)
bind '"\\C-xa": insert-completions'
bind -x '"\\C-xs": printf "\\n<%s>\\n" "$READLINE_LINE"'
`,
  },
  zsh: {
    command: 'zsh -d -i',
    startFile: '.zshrc',
    start: `autoload -Uz compinit; compinit -u -d $ZDOTDIR/dump
source <(lastbyte completion zsh)
zle -C all-matches complete-word _generic
zstyle ':completion:all-matches::::' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert true
bindkey '^Xa' all-matches
show-line() { print -r -- ''; print -r -- "<$BUFFER>" }
zle -N show-line
bindkey '^Xs' show-line
`,
  },
};

const LASTBYTE = `lastbyte() { '${process.execPath}' '${BIN}' "$@"; }\n`;

/** The line that results when everything that fits behind `line` is inserted. */
export async function completed(shell: 'bash' | 'zsh', line: string): Promise<string> {
  const { command, startFile, start } = SHELLS[shell];
  const home = mkdtempSync(join(tmpdir(), 'lastbyte-shell-'));
  writeFileSync(join(home, startFile), `${LASTBYTE}${start}PS1='ready> '\n`);
  writeFileSync(join(home, 'my settings.yaml'), '');
  const env = { PATH: process.env['PATH'], HOME: home, ZDOTDIR: home, TERM: 'dumb', COLUMNS: '500' };
  try {
    await using terminal = new RunningCommand({
      file: 'script',
      args: ['--quiet', '--return', '--command', command, '/dev/null'],
      cwd: home,
      env,
      stdin: 'pipe',
      graceMs: 0,
    });
    await terminal.says(/ready> /);
    terminal.child.stdin?.write(`${line}${INSERT_ALL_AND_SHOW}`);
    const [, result = ''] = await terminal.says(/^<(.*)>\r?$/m);
    return result.trimEnd();
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** What fish offers behind `line`. */
export function offeredByFish(line: string): readonly string[] {
  const home = mkdtempSync(join(tmpdir(), 'lastbyte-shell-'));
  writeFileSync(join(home, 'my settings.yaml'), '');
  const commands = `function lastbyte; '${process.execPath}' '${BIN}' $argv; end
lastbyte completion fish | source
complete -C '${line}'`;
  const { stdout } = spawnSync('fish', ['--no-config', '-c', commands], {
    cwd: home,
    env: { PATH: process.env['PATH'], HOME: home, TERM: 'dumb' },
    encoding: 'utf8',
  });
  rmSync(home, { recursive: true, force: true });
  return stdout.split('\n').flatMap((offer) => (offer === '' ? [] : [offer.split('\t')[0] ?? '']));
}
