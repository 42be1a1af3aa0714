/** Finds the addresses of a target and connects to the first that accepts. */

import { ADDRCONFIG, lookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Target } from '../config/settings.ts';
import { connectTo } from './connection.ts';
import type { Connecting, ConnectOptions, ConnectResult, Place } from './connection.ts';

/**
 * Both, whatever `localhost` resolves to: many dev servers listen on `::1` alone, which hosts files may lack. Always in
 * this order, so that requests do not alternate between two servers that use the same port.
 */
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1'];

/** If an address is silent for this long, the next is dialled too (RFC 8305 section 8). */
const NEXT_AFTER_MS = 250;

/**
 * Opens a connection to the first address that accepts one. Never rejects: a failure is a result, with the code of the
 * system or of TLS. `timeoutMs` covers the look-up, all addresses and the TLS handshake. Node's own choice between addresses
 * (`autoSelectFamily`) is not used: it abandons an address after 250 ms, and a full listen queue takes longer.
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
  /** Whether the next address is dialled while one is silent. Not on loopback, where no route can be missing. */
  #dialsInParallel = false;
  #next: NodeJS.Timeout | undefined;
  #connected: { destroy(): void } | null = null;

  constructor(options: ConnectOptions) {
    const { target, timeoutMs } = options;
    this.#options = options;
    this.result = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // One turn later, so that results that arrived while the process was busy are handled first.
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
      this.#dialsInParallel = true;
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
      done: (result) => this.#onResult(place, result),
    });
    this.#underWay.set(place, call);
    if (this.#dialsInParallel && this.#left.length > 0)
      this.#next = setTimeout(() => this.#dialNext(), NEXT_AFTER_MS);
  }

  /** One address has accepted: its result counts even if TLS fails, because another address may be another server. */
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

  #onResult(place: Place, result: ConnectResult): void {
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
    const errorCode = mostInformative(this.#failures.map((failure) => failure.errorCode));
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

  /** The result of each address; null: the target is one address. */
  #detail(): string | null {
    const { target } = this.#options;
    if (target.kind === 'unix' || isIP(target.host) !== 0) return null;
    const silent = [...this.#underWay.keys()].map((place) => ({ place, errorCode: 'silent' }));
    const results = [...this.#failures, ...silent].map(({ place, errorCode }) =>
      'host' in place ? `${place.host} ${errorCode}` : errorCode,
    );
    return results.length === 0 ? null : results.join(', ');
  }
}

interface DialFailure {
  readonly place: Place;
  readonly errorCode: string;
}

/** Null: the name must be looked up. */
function knownPlaces(target: Target): readonly Place[] | null {
  if (target.kind === 'unix') return [{ path: target.path }];
  const { host, port } = target;
  if (isIP(host) !== 0) return [{ host, port }];
  return isLoopbackName(host) ? LOOPBACK.map((address) => ({ host: address, port })) : null;
}

/** Subdomains such as `app.localhost` may be containers, so they are looked up. */
function isLoopbackName(host: string): boolean {
  return /^localhost\.?$/i.test(host);
}

/** Codes for an address family without a network on this machine: they say nothing about the server. */
const NO_NETWORK: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH', 'EINVAL']);

/** The failure that says most about the server: a refusal, or else the first one from the network. */
function mostInformative(codes: readonly string[]): string {
  const [first = 'ENOTFOUND'] = codes;
  if (codes.includes('ECONNREFUSED')) return 'ECONNREFUSED';
  return codes.find((code) => !NO_NETWORK.has(code)) ?? first;
}
