/** Values from the environment: `LASTBYTE_*`. */

import { gather, type Gathered, type Gathering } from './given.ts';
import { CONFIG_VARIABLE, OPTIONS, variableOf } from './option-table.ts';
import { unknownName } from './unknown-name.ts';

const PREFIX = 'LASTBYTE_';

/**
 * Kubernetes and `docker --link` describe a service named "lastbyte" in variables of these names to every
 * container beside it (Kubernetes documentation, "Accessing the Service", environment variables).
 */
const SERVICE_LINK =
  /^LASTBYTE_(SERVICE_(HOST|PORT(_.+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?|NAME|ENV_.+)$/;
const SERVICE_LINK_PORT = /^(tcp|udp|sctp):\/\//;

/** An empty variable counts as not given: `LASTBYTE_PORT=${PORT:-}` in a compose file means the default. */
export function gatherVariables(env: NodeJS.ProcessEnv): Gathered {
  const ours = Object.entries(env).filter(([name]) => name.startsWith(PREFIX) && name !== CONFIG_VARIABLE);
  return gather(ours.map(([name, raw]) => gatherVariable(name, raw ?? '')));
}

function gatherVariable(name: string, raw: string): Gathering | null {
  if (SERVICE_LINK.test(name)) return null;
  if (name === `${PREFIX}PORT` && SERVICE_LINK_PORT.test(raw)) return null;
  const origin = { kind: 'variable', name } as const;
  const option = OPTIONS.find((candidate) => variableOf(candidate.name) === name);
  if (option !== undefined)
    return raw.trim() === '' ? null : { kind: 'given', given: { option, raw, origin } };
  return {
    kind: 'fault',
    fault: unknownName({
      written: name,
      origin,
      sort: 'variable',
      spell: variableOf,
      others: [CONFIG_VARIABLE],
      turnOff: (known) => `${variableOf(known)}=false`,
      list: 'Every flag of lastbyte --help has a variable: --body-hold is LASTBYTE_BODY_HOLD',
    }),
  };
}
