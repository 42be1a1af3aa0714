/** A value that somebody gave to an option, before it is read. */

import type { Fault, Origin } from './fault.ts';
import type { AnyOption } from './option-type.ts';

export interface Given {
  readonly option: AnyOption;
  readonly raw: unknown;
  readonly origin: Origin;
}

/** What one source holds: values, and names that are none of ours. */
export interface Gathered {
  readonly given: readonly Given[];
  readonly faults: readonly Fault[];
}

export type Gathering =
  { readonly kind: 'given'; readonly given: Given } | { readonly kind: 'fault'; readonly fault: Fault };

export function gather(gatherings: readonly (Gathering | null)[]): Gathered {
  const given: Given[] = [];
  const faults: Fault[] = [];
  for (const gathering of gatherings) {
    if (gathering?.kind === 'given') given.push(gathering.given);
    else if (gathering?.kind === 'fault') faults.push(gathering.fault);
  }
  return { given, faults };
}
