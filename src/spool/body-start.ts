/** Keeps the first octets of a body that goes elsewhere, to be shown later. */

import type { BodySink } from './body-sink.ts';

const MAX_KEPT_BYTES = 64 * 1024;

/** The first octets of a body. */
export interface KeptStart {
  /** Octets of the body that came. */
  readonly bytes: number;
  /** Octets that are kept. */
  readonly keptBytes: number;
  octets(): Buffer;
}

export class BodyStart implements KeptStart {
  readonly #parts: Uint8Array[] = [];
  bytes = 0;
  keptBytes = 0;

  /** Octets whose memory is used again. */
  copy(octets: Uint8Array): void {
    const part = this.#wanted(octets);
    if (part !== null) this.#parts.push(Buffer.from(part));
  }

  octets(): Buffer {
    return Buffer.concat(this.#parts, this.keptBytes);
  }

  /** Counts the octets; null: there is no room for any of them. */
  #wanted(octets: Uint8Array): Uint8Array | null {
    this.bytes += octets.length;
    const room = MAX_KEPT_BYTES - this.keptBytes;
    if (room === 0 || octets.length === 0) return null;
    const part = octets.length <= room ? octets : octets.subarray(0, room);
    this.keptBytes += part.length;
    return part;
  }
}

/** Passes everything on to the sink, and lets `start` see it on its way. */
export function keepingStart(sink: BodySink, start: BodyStart): BodySink {
  let window: Uint8Array | null = null;
  return {
    window: () => (window = sink.window()),
    commit: (bytes) => {
      if (window !== null) start.copy(window.subarray(0, bytes));
      sink.commit(bytes);
    },
    append: (octets) => {
      start.copy(octets);
      sink.append(octets);
    },
    get congested() {
      return sink.congested;
    },
    whenDrained: (resume) => sink.whenDrained(resume),
    get fault() {
      return sink.fault;
    },
  };
}
