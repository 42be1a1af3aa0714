/** The command line of `lastbyte healthcheck`: the address to ask, why there is none, or all that is wrong. */

import type { Fault } from '../config/fault.ts';
import { loadSettings } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { hostAndPort, parseTarget } from '../config/target.ts';
import { configFaults, configFile, lineFault, surplusFaults, switchFaults } from './line-faults.ts';
import { splitLine } from './split-line.ts';

export type HealthcheckLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  /** The settings leave nobody to ask. */
  | { readonly kind: 'nobody'; readonly sentence: string }
  | { readonly kind: 'question'; readonly url: URL };

/** @param argv what stands behind the word `healthcheck` */
export function parseHealthcheckLine(argv: readonly string[], env: NodeJS.ProcessEnv): HealthcheckLine {
  const { words, help, flags } = splitLine(argv, ['ready']);
  if (help) return { kind: 'help' };
  const { config, ready, ...settings } = flags;
  const [word, ...surplus] = words;
  const loaded = loadSettings({ flags: settings, env, file: configFile(config) });
  const authority = word === undefined ? null : authorityOf(word);
  const faults = [
    ...surplusFaults(surplus, 'Give one address'),
    ...configFaults(config),
    ...switchFaults(ready === undefined ? {} : { ready }, ['ready'], 'healthcheck'),
    ...(authority === null || typeof authority === 'string' ? [] : [authority]),
    ...(loaded.kind === 'faults' ? loaded.faults : []),
  ];
  if (loaded.kind === 'faults' || faults.length > 0) return { kind: 'faults', faults };
  return question(typeof authority === 'string' ? authority : null, loaded.settings, ready === true);
}

function question(authority: string | null, settings: Settings, ready: boolean): HealthcheckLine {
  const nobody = authority === null ? whyNobody(settings) : null;
  if (nobody !== null) return { kind: 'nobody', sentence: nobody };
  const { adminHost, adminPort } = settings;
  const asked = authority ?? hostAndPort(reachable(adminHost), adminPort);
  return { kind: 'question', url: new URL(`http://${asked}${ready ? '/readyz' : '/healthz'}`) };
}

/** `host:port` of an address that was given, in any form of a target's, with or without the page. */
function authorityOf(word: string): string | Fault {
  const origin = { kind: 'argument', name: 'url' } as const;
  const target = parseTarget(word.trim().replace(/\/(healthz|readyz)$/, ''));
  if (target.kind === 'wrong') return { ...lineFault(origin, target.problem, target.remedy), value: word };
  if (target.value.kind === 'tcp' && !target.value.tls) {
    return hostAndPort(reachable(target.value.host), target.value.port);
  }
  const remedy = 'The admin listener speaks plain HTTP on a port: write 8081 or http://127.0.0.1:8081';
  return { ...lineFault(origin, 'is not where it can listen', remedy), value: word };
}

/** Nobody can be asked at the address that stands for all; 127.0.0.1 is among them, and with `::` too (net, `ipv6Only`). */
function reachable(host: string): string {
  return host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}

function whyNobody({ admin, adminPort }: Settings): string | null {
  const remedy = 'or give the address to ask: lastbyte healthcheck 8081.';
  if (!admin)
    return `There is nobody to ask, because the admin listener is turned off: leave --no-admin out, ${remedy}`;
  if (adminPort === 0)
    return `The admin listener's port is not known, because --admin-port 0 takes any free one: choose one, ${remedy}`;
  return null;
}
