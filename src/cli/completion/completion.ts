/** `lastbyte completion <shell>`: the script by which a shell completes lastbyte's commands, flags and values. */

import { nearestName } from '../../config/nearest.ts';
import type { Fault } from '../../config/fault.ts';
import { lineFault, surplusFaults, switchFaults } from '../line-faults.ts';
import { faultReport } from '../report.ts';
import { splitLine } from '../split-line.ts';
import type { Surroundings } from '../surroundings.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { SHELLS } from './vocabulary.ts';
import { zshCompletion } from './zsh.ts';

const FINE = 0;
const BAD_USAGE = 2;

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], () => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

const HELP = `lastbyte completion bash|zsh|fish

Writes the script by which the shell completes commands, flags, their words and paths.

  -h, --help  show this help

To have it in every new shell, where lastbyte is installed (npm install --global lastbyte):

  bash   echo 'source <(lastbyte completion bash)' >> ~/.bashrc
  zsh    echo 'source <(lastbyte completion zsh)' >> ~/.zshrc      (behind compinit)
  fish   lastbyte completion fish > ~/.config/fish/completions/lastbyte.fish
`;

/** @param argv what stands behind the word `completion` */
export async function completionCommand(
  argv: readonly string[],
  { streams: { stdout, stderr } }: Surroundings,
): Promise<number> {
  const { words, help, flags } = splitLine(argv, []);
  if (help) {
    stdout.write(HELP);
    return FINE;
  }
  const [word = '', ...surplus] = words;
  const shell = SHELLS.find((one) => one === word);
  const faults = [
    ...(shell === undefined ? [noShell(word)] : []),
    ...surplusFaults(surplus, 'Give one shell'),
    ...switchFaults(flags, [], 'completion'),
  ];
  if (shell === undefined || faults.length > 0) {
    stderr.write(faultReport(faults, 'on the command line'));
    return BAD_USAGE;
  }
  stdout.write(SCRIPTS[shell]());
  return FINE;
}

function noShell(word: string): Fault {
  const origin = { kind: 'argument', name: 'shell' } as const;
  if (word === '') return lineFault(origin, 'is missing', `Write one of ${SHELLS.join(', ')}`);
  const nearest = nearestName(word, SHELLS);
  const guess = nearest === null ? '' : `Did you mean ${nearest}? `;
  const remedy = `${guess}Write one of ${SHELLS.join(', ')}`;
  return { ...lineFault(origin, 'is no shell that is known here', remedy), value: word };
}
