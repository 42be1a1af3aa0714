/** Which addresses a target has, and a connection to the first of them that accepts one. */

import { ADDRCONFIG, lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Target } from '../config/settings.ts';
import { connectTo } from './connection.ts';
import type { Connecting, ConnectOptions, ConnectResult, Place } from './connection.ts';

/**
 * Both, whatever the resolver says of `localhost`: many dev servers listen on `::1` alone, and hosts files know less.
 * The first one is asked first, so that two servers that share a port do not take turns.
 */
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/** An address that is silent for so long is not waited for before the next is asked too (RFC 8305 section 8). */
const NEXT_AFTER_MS = 250;

/**
 * Opens a connection to the first address that accepts one. Never rejects: a failure is a result, with the system's code or
 * TLS's. `timeoutMs` covers the look-up, all addresses and the TLS handshake. Node's own choice between addresses
 * (`autoSelectFamily`) is not used: it gives an address up after 250 ms, which a full listen queue outlasts.
 */
export function openConnection(options: ConnectOptions): Connecting {
  return new Dialling(options);
}

class Dialling implements Connecting {
  readonly result: Promise<ConnectResult>;
  readonly #options: ConnectOptions;
  readonly #underWay = new Map<Place, { cancel(): void }>();
  readonly #failures: DialFailure[] = [];
  readonly #limit: NodeJS.Timeout | undefined;
  #settle: ((result: ConnectResult) => void) | null = null;
  #left: Place[] = [];
  /** Whether others are asked while one is silent. On loopback nobody is silent for want of a way to it. */
  #hurries = false;
  #next: NodeJS.Timeout | undefined;
  #connected: { destroy(): void } | null = null;

  constructor(options: ConnectOptions) {
    const { target, timeoutMs } = options;
    this.#options = options;
    this.result = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // A turn later: what has come from the network while the process was busy counts first.
    const timeOut = (): unknown => setImmediate(() => this.#fail('ETIMEDOUT', true));
    if (timeoutMs > 0) this.#limit = setTimeout(timeOut, timeoutMs);
    const known = knownPlaces(target);
    if (known !== null) this.#dialAll(known);
    else if (target.kind === 'tcp') this.#lookUp(target.host, target.port);
  }

  cancel(): void {
    if (this.#settle === null) this.#connected?.destroy();
    else this.#fail('ECONNABORTED', false);
  }

  #lookUp(host: string, port: number): void {
    const { lookUp = lookup } = this.#options;
    lookUp(host, { all: true, hints: ADDRCONFIG }, (error, found) => {
      if (this.#settle === null) return;
      if (error !== null) return this.#fail(error.code ?? 'ENOTFOUND', false);
      const addresses = new Set(found.map(({ address }) => address));
      this.#hurries = true;
      this.#dialAll([...addresses].map((address) => ({ host: address, port })));
    });
  }

  #dialAll(places: readonly Place[]): void {
    this.#left = [...places];
    this.#dialNext();
  }

  #dialNext(): void {
    clearTimeout(this.#next);
    const place = this.#left.shift();
    if (place === undefined) {
      if (this.#underWay.size === 0) this.#failAll();
      return;
    }
    const call = connectTo(place, this.#options, {
      accepted: () => this.#keepOnly(place),
      over: (result) => this.#over(place, result),
    });
    this.#underWay.set(place, call);
    if (this.#hurries && this.#left.length > 0)
      this.#next = setTimeout(() => this.#dialNext(), NEXT_AFTER_MS);
  }

  /** One has accepted: what comes of it counts, also when TLS fails. Another address would be another server's. */
  #keepOnly(place: Place): void {
    clearTimeout(this.#next);
    this.#left = [];
    for (const [other, call] of this.#underWay) {
      if (other === place) continue;
      this.#underWay.delete(other);
      call.cancel();
    }
    this.#failures.length = 0;
  }

  #over(place: Place, result: ConnectResult): void {
    this.#underWay.delete(place);
    if (result.kind === 'failed') {
      this.#failures.push({ place, errorCode: result.errorCode });
      this.#dialNext();
      return;
    }
    this.#connected = result.connection;
    this.#end(result);
  }

  #failAll(): void {
    const errorCode = telling(this.#failures.map((failure) => failure.errorCode));
    this.#fail(errorCode, errorCode === 'ETIMEDOUT');
  }

  #fail(errorCode: string, timedOut: boolean): void {
    const detail = this.#detail();
    for (const call of this.#underWay.values()) call.cancel();
    this.#underWay.clear();
    this.#end({ kind: 'failed', errorCode, timedOut, detail });
  }

  #end(result: ConnectResult): void {
    clearTimeout(this.#limit);
    clearTimeout(this.#next);
    const settle = this.#settle;
    this.#settle = null;
    settle?.(result);
  }

  /** What each address said; null: there is but the one that the target names. */
  #detail(): string | null {
    const { target } = this.#options;
    if (target.kind === 'unix' || isIP(target.host) !== 0) return null;
    const silent = [...this.#underWay.keys()].map((place) => ({ place, errorCode: 'silent' }));
    const said = [...this.#failures, ...silent].map(({ place, errorCode }) =>
      'host' in place ? `${place.host} ${errorCode}` : errorCode,
    );
    return said.length === 0 ? null : said.join(', ');
  }
}

interface DialFailure {
  readonly place: Place;
  readonly errorCode: string;
}

/** Null: its name has to be looked up. */
function knownPlaces(target: Target): readonly Place[] | null {
  if (target.kind === 'unix') return [{ path: target.path }];
  const { host, port } = target;
  if (isIP(host) !== 0) return [{ host, port }];
  return isLoopbackName(host) ? LOOPBACK.map((address) => ({ host: address, port })) : null;
}

/** Names below it, such as `app.localhost`, may be a container's: they are looked up. */
function isLoopbackName(host: string): boolean {
  return /^localhost\.?$/i.test(host);
}

/** What a machine says of an address that it has no network for, which is no news of the server. */
const NO_NETWORK: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH', 'EINVAL']);

/** Of several failures the one that tells most of the server: it refused; or else the first that came from the network. */
function telling(codes: readonly string[]): string {
  const [first = 'ENOTFOUND'] = codes;
  if (codes.includes('ECONNREFUSED')) return 'ECONNREFUSED';
  return codes.find((code) => !NO_NETWORK.has(code)) ?? first;
}
