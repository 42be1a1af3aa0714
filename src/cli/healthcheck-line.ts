/** The command line of `lastbyte healthcheck`: the address to ask, why there is none, or all that is wrong. */

import type { Fault } from '../config/fault.ts';
import { loadSettings } from '../config/resolve.ts';
import type { Settings, Target } from '../config/settings.ts';
import { parseTarget, targetUrl } from '../config/target.ts';
import { configFaults, configFile, lineFault, surplusFaults, switchFaults } from './line-faults.ts';
import { splitLine } from './split-line.ts';

export type HealthcheckLine =
  | { readonly kind: 'help' }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  /** The settings leave nobody to ask. */
  | { readonly kind: 'nobody'; readonly sentence: string }
  | { readonly kind: 'question'; readonly url: URL; readonly target: Target };

/** @param argv what stands behind the word `healthcheck` */
export function parseHealthcheckLine(argv: readonly string[], env: NodeJS.ProcessEnv): HealthcheckLine {
  const { words, help, flags } = splitLine(argv, ['ready']);
  if (help) return { kind: 'help' };
  const { config, ready, ...settings } = flags;
  const [word, ...surplus] = words;
  const loaded = loadSettings({ flags: settings, env, file: configFile(config) });
  const address = word === undefined ? null : addressOf(word);
  const faults = [
    ...surplusFaults(surplus, 'Give one address'),
    ...configFaults(config),
    ...switchFaults(ready === undefined ? {} : { ready }, ['ready'], 'healthcheck'),
    ...(address?.kind === 'fault' ? [address.fault] : []),
    ...(loaded.kind === 'faults' ? loaded.faults : []),
  ];
  if (loaded.kind === 'faults' || faults.length > 0) return { kind: 'faults', faults };
  return question(address?.kind === 'target' ? address.target : null, loaded.settings, ready === true);
}

function question(given: Target | null, settings: Settings, ready: boolean): HealthcheckLine {
  const nobody = given === null ? whyNobody(settings) : null;
  if (nobody !== null) return { kind: 'nobody', sentence: nobody };
  const target = given ?? listener(settings.adminHost, settings.adminPort);
  return {
    kind: 'question',
    url: new URL(`${targetUrl(target)}${ready ? '/readyz' : '/healthz'}`),
    target,
  };
}

type Address =
  { readonly kind: 'target'; readonly target: Target } | { readonly kind: 'fault'; readonly fault: Fault };

/** An address that was given, in any form of a target's, with or without the page. */
function addressOf(word: string): Address {
  const origin = { kind: 'argument', name: 'url' } as const;
  const target = parseTarget(word.trim().replace(/\/(healthz|readyz)$/, ''));
  if (target.kind === 'wrong') {
    return { kind: 'fault', fault: { ...lineFault(origin, target.problem, target.remedy), value: word } };
  }
  if (target.value.kind === 'tcp' && !target.value.tls) {
    return { kind: 'target', target: listener(target.value.host, target.value.port) };
  }
  const remedy = 'The admin listener speaks plain HTTP on a port: write 8081 or http://127.0.0.1:8081';
  return {
    kind: 'fault',
    fault: { ...lineFault(origin, 'is not where it can listen', remedy), value: word },
  };
}

/** Nobody can be asked at the address that stands for all; 127.0.0.1 is among them, and with `::` too (net, `ipv6Only`). */
function listener(host: string, port: number): Target {
  const isAll = host === '0.0.0.0' || host === '::';
  return { kind: 'tcp', tls: false, host: isAll ? '127.0.0.1' : host, port };
}

function whyNobody({ admin, adminPort }: Settings): string | null {
  const remedy = 'or give the address to ask: lastbyte healthcheck 8081.';
  if (!admin)
    return `There is nobody to ask, because the admin listener is turned off: leave --no-admin out, ${remedy}`;
  if (adminPort === 0)
    return `The admin listener's port is not known, because --admin-port 0 takes any free one: choose one, ${remedy}`;
  return null;
}
