/** A diagnosis as a program asks for it. */

import { ConfigError, nearestName } from '../config/fault.ts';
import type { Fault } from '../config/fault.ts';
import type { DiagnosisReport } from './report.ts';
import { runDiagnosis } from './run.ts';
import type { DiagnosisProgress } from './run.ts';
import { DIAGNOSE_OPTION_NAMES, isOptionName, resolveSettings } from './settings.ts';

/** Times are in ms or written (`5s`), sizes in bytes or written (`100kb`). */
export interface DiagnoseOptions {
  /** The method of the requests that have a body. An unsafe one is sent as often as there are tries. @default 'GET' */
  readonly method?: string;
  /** Fields of every request, each as `Name: value`. @default [] */
  readonly headers?: readonly string[];
  /** The body. @default filler of `bodySize` */
  readonly data?: string | Uint8Array;
  /** @default '1mb' */
  readonly bodySize?: number | string;
  /** Tries of each scenario. @default 10 */
  readonly tries?: number;
  /** Names of the scenarios to run. @default all */
  readonly scenarios?: readonly string[];
  /** The address of a running lastbyte that gets the same requests. */
  readonly through?: string;
  /** Accept a certificate that cannot be verified. @default false */
  readonly insecure?: boolean;
  /** @default '5s' */
  readonly connectTimeout?: number | string;
  /** Silence that counts as a hang. @default '5s' */
  readonly timeout?: number | string;
  /** Longest time of one response. @default '10s' */
  readonly tryLimit?: number | string;
  /** Longest time of all together. @default '2m' */
  readonly timeLimit?: number | string;
  /** Largest response to read. @default '256mb' */
  readonly maxAnswer?: number | string;
  readonly onProgress?: (progress: DiagnosisProgress) => void;
  /** Ends the diagnosis early; the report then has what was seen until then. */
  readonly signal?: AbortSignal;
}

/**
 * Asks the server at `url` in all the ways in which clients ask, on raw sockets of its own, and says whether it closes
 * connections too early, how, and what would help. Never rejects because of the server: one that cannot be reached is
 * a report too, with the verdict `unreachable`.
 *
 * @param url `http://127.0.0.1:8000/report`, `https://…`, `8000/report`, `unix:/run/app.sock:/report`
 * @throws ConfigError with everything that is wrong with the address and the options, at once
 */
export async function diagnose(url: string, options: DiagnoseOptions = {}): Promise<DiagnosisReport> {
  const { data, onProgress = () => undefined, signal, ...rest } = options;
  const entries = Object.entries(rest).filter(([, raw]: [string, unknown]) => raw !== undefined);
  const result = resolveSettings({
    url: { raw: url, origin: { kind: 'argument', name: 'url' } },
    given: Object.fromEntries(entries.map(([name, raw]: [string, unknown]) => [name, inUnit(name, raw)])),
    body: data === undefined ? null : { bytes: Buffer.from(data) },
    originOf: (name) => ({ kind: 'property', name }),
  });
  const faults = [...unknownProperties(entries), ...(result.kind === 'faults' ? result.faults : [])];
  if (result.kind === 'faults' || faults.length > 0) throw new ConfigError(faults);
  return await runDiagnosis(result.settings, onProgress, signal);
}

/** A caller without types may give anything. */
function unknownProperties(entries: readonly (readonly [string, unknown])[]): readonly Fault[] {
  return entries
    .filter(([name]) => !isOptionName(name))
    .map(([name]) => {
      const nearest = nearestName(name, DIAGNOSE_OPTION_NAMES);
      return {
        option: name,
        value: null,
        origin: { kind: 'property', name },
        problem: 'is not a property of a diagnosis',
        remedy: nearest === null ? 'DiagnoseOptions lists all of them' : `Did you mean ${nearest}?`,
      };
    });
}

/** Programs count times in ms, as Node does; people must name the unit. */
function inUnit(name: string, raw: unknown): unknown {
  return typeof raw === 'number' && /timeout|limit/i.test(name) ? `${raw}ms` : raw;
}
