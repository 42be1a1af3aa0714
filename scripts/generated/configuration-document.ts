/** docs/configuration.md: every option, and the rules that hold for all of them. */

import {
  defaultOf,
  GROUPS,
  propertyOf,
  variableOf,
  type OptionGroup,
} from '../../src/config/option-table.ts';
import type { AnyOption } from '../../src/config/option-type.ts';

const HEADER = `# Configuration

<!-- Written by scripts/generate.ts from the option table (src/config/option-table.ts): change it there. -->

Every option has one name, and four places where it can be given. The first that gives it counts:

| | place | \`body-hold\` is written |
|---|---|---|
| 1 | flag | \`--body-hold 200ms\` |
| 2 | environment variable | \`LASTBYTE_BODY_HOLD=200ms\` |
| 3 | configuration file | \`body-hold: 200ms\` |
| 4 | default | \`100ms\` |

A program gives the same options to \`createProxy\` as properties: \`{ bodyHold: '200ms' }\`.

\`lastbyte print-config\` shows the settings in force and where each came from, without starting anything.

## How values are written

- **Size**: \`512kb\`, \`10mb\`, \`1.5gb\`. Units are powers of 1024 in every spelling (\`mb\`, \`MiB\`, \`m\`). A number alone is bytes.
- **Time**: \`100ms\`, \`30s\`, \`5m\`, \`1h\`, \`1d\`, or \`0\`. Any other number alone is refused: \`30\` could mean seconds or
  milliseconds. (In a program, a number is milliseconds, as everywhere in Node.)
- **Switch**: \`--admin\`, \`--no-admin\`, \`--admin=false\`; elsewhere \`true\` or \`false\` (\`yes\`, \`no\`, \`on\`, \`off\`, \`1\`, \`0\` are read too).
- **List**: commas (\`--stream /events/,text/x-log\`), a repeated flag, or a list in the file. An empty value is the empty list.
- **Target**: \`http://host:port\`, \`https://host\`, \`host:port\`, \`:8000\`, \`8000\`, or \`unix:/path\`. A path, a query or
  credentials in it are refused: each request brings its own. \`lastbyte 8000\` is short for \`lastbyte --target 8000\`.
  A port alone and \`localhost\` are 127.0.0.1 and ::1, dialled in this order at each connect whatever the resolver says;
  of another name all addresses are dialled. Write \`http://127.0.0.1:8000\` for one family alone.

An environment variable that is set but empty counts as not given. The variables by which Kubernetes and \`docker --link\`
describe a service named "lastbyte" (\`LASTBYTE_SERVICE_HOST\`, \`LASTBYTE_PORT=tcp://…\`) are passed over.

## The file

YAML or JSON, named by \`--config FILE\` or \`LASTBYTE_CONFIG\`; no file is read unless it is named. Its keys are the flags without
their dashes. \`lastbyte init\` writes one to begin with, and shows lastbyte as a service of docker compose. [config/default.yaml](../config/default.yaml) holds every default, [config/docker.yaml](../config/docker.yaml) is meant
for a container, and [config/schema.json](../config/schema.json) lets an editor complete and check a file.

SIGHUP has the file read again. If all of it holds, it is in force for the exchanges that begin from then on, and settings that
need a restart are named in the log. If anything is wrong, all of it is logged and the old settings stay.

## When something is wrong

Everything that is wrong is reported at once, with where it stands and what would be right, and the program exits with 2:

\`\`\`
lastbyte.yaml:3: port "99999" is over the limit of 65535. Give 0 to 65535.
LASTBYTE_BODY_HOLD: "30" has no unit. Write 30s for seconds or 30ms for milliseconds.
--retires: is not a flag of lastbyte. Did you mean --retries?
\`\`\`

A value that is overridden by a flag is checked too, so that the file does not break on the day the flag is dropped.

## Stopping

SIGTERM or SIGINT stops accepting, finishes the exchanges under way within \`--shutdown-timeout\`, and exits with 0. A second one,
half a second later or more, ends everything at once and exits with 1, because exchanges were cut. (npm and npx pass on their
own copy of Ctrl-C: what comes sooner is that copy.)

Exit codes: 0 fine, 1 failed at run time, 2 bad usage or configuration.
`;

export function configurationDocument(): string {
  return [HEADER, ...GROUPS.map(section)].join('\n');
}

function section({ title, options }: OptionGroup): string {
  const head = '| flag | default | what it is for |\n|---|---|---|';
  return `## ${title}\n\n${head}\n${options.map(line).join('\n')}\n`;
}

function line({ name, setting, purpose, type }: AnyOption): string {
  const flag = type.arity === 'switch' ? `--${name}` : `--${name} ${type.placeholder}`;
  const places = `\`${flag.replaceAll('|', '\\|')}\`<br>\`${variableOf(name)}\`<br>\`${propertyOf(name)}\``;
  return `| ${places} | ${shownDefault(setting)} | ${purpose.replaceAll('*', '\\*')} |`;
}

function shownDefault(setting: AnyOption['setting']): string {
  const value = defaultOf(setting);
  const text = value === null ? '' : String(value).replaceAll(',', ', ');
  return text === '' ? 'none' : `\`${text}\``;
}
