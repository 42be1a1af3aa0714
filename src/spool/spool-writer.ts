/** Collects a body as it arrives: in memory, or in a file if it is too large. */

import { BodyRoom } from './body-room.ts';
import type { BodyLimits, SpoolRoom } from './body-room.ts';
import type { Segment } from './buffer-pool.ts';
import { ioFault, SpoolFile } from './spool-file.ts';
import { BodyInFile, BodyInMemory } from './spooled-body.ts';
import type { BodySink, SinkFault, SpooledBody } from './spooled-body.ts';

/** Where the body is. It moves from memory to a file, with or without a wait, and never back. */
type Stage =
  | { readonly kind: 'memory' }
  /** No memory is available now: bytes that still arrive are kept in small segments, and reading stops. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'file'; readonly file: SpoolFile; readonly waitsForDisk: boolean }
  /** Accepts nothing more; its memory may still be read or written until it is disposed of. */
  | { readonly kind: 'failed'; readonly file: SpoolFile | null; readonly fault: SinkFault }
  /** The body was handed over, or the writer was disposed of. */
  | { readonly kind: 'spent'; readonly fault: SinkFault | null };

/** Not reported anywhere: the caller has disposed of the writer. */
const GIVEN_UP: SinkFault = { kind: 'io', errorCode: 'ECANCELED' };

export class SpoolWriter implements BodySink, Disposable {
  readonly #room: BodyRoom;
  readonly #openFile: () => number;
  readonly #maxBytes: number;
  #stage: Stage = { kind: 'memory' };
  /** Full segments in memory. */
  #full: Segment[] = [];
  #filling: Segment | null = null;
  #bytes = 0;
  #onDrained: (() => void) | null = null;

  constructor(room: SpoolRoom, limits: BodyLimits) {
    this.#room = new BodyRoom(room, limits);
    this.#openFile = room.openFile;
    this.#maxBytes = limits.maxBytes;
    this.#checkLength(limits.expectedBytes ?? 0);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get fault(): SinkFault | null {
    return 'fault' in this.#stage ? this.#stage.fault : null;
  }

  /** Whether it waits for room, or one segment is being written to the file and another is full. */
  get congested(): boolean {
    const stage = this.#stage;
    if (stage.kind === 'file') return stage.waitsForDisk || stage.file.isBehind;
    return stage.kind === 'waiting';
  }

  whenDrained(resume: () => void): void {
    this.#onDrained = resume;
  }

  window(): Uint8Array | null {
    return this.congested ? null : (this.#segmentWithRoom()?.free ?? null);
  }

  commit(bytes: number): void {
    this.#filling?.commit(bytes);
    this.#count(bytes);
  }

  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const segment = this.#segmentWithRoom();
      if (segment === null) return;
      const count = segment.copy(bytes, from);
      from += count;
      this.#count(count);
    }
  }

  /** The body, if all of it is in memory; the writer is then spent. Null: `finish` must be awaited. */
  finishAtOnce(): SpooledBody | null {
    return this.#stage.kind === 'memory' ? this.#memoryBody() : null;
  }

  /** Resolves with the body when all of it is in memory or on disk, or with the fault. The writer is then spent. */
  async finish(): Promise<SpooledBody | SinkFault> {
    this.#room.stopWaiting();
    const stage = this.#stage.kind === 'waiting' ? this.#spill() : this.#stage;
    if (stage.kind === 'memory') return this.#memoryBody();
    if (stage.kind === 'file') {
      this.#storeFilling();
      await stage.file.flushed();
      // It has not failed or been disposed of in the meantime.
      if (this.#stage === stage) return this.#fileBody(stage.file);
    }
    this[Symbol.dispose]();
    return this.fault ?? GIVEN_UP;
  }

  [Symbol.dispose](): void {
    const stage = this.#stage;
    if (stage.kind === 'spent') return;
    this.#spend();
    for (const segment of this.#full) segment.release();
    this.#filling?.release();
    if ('file' in stage) stage.file?.[Symbol.dispose]();
    this.#room.release();
  }

  #memoryBody(): SpooledBody {
    this.#storeFilling();
    this.#spend();
    const segments = this.#full;
    const memory = segments.map(({ filled }) => filled);
    return new BodyInMemory(memory, this.#bytes, () => {
      for (const segment of segments) segment.release();
      this.#room.release();
    });
  }

  #fileBody({ fd }: SpoolFile): SpooledBody {
    this.#spend();
    this.#room.releaseMemory();
    return new BodyInFile(fd, this.#bytes, this.#room.buffers, () => this.#room.release());
  }

  #spend(): void {
    this.#stage = { kind: 'spent', fault: this.fault };
    this.#onDrained = null;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#checkLength(this.#bytes);
  }

  #checkLength(bytes: number): void {
    if (bytes > this.#maxBytes) this.#fail({ kind: 'too-large', limitBytes: this.#maxBytes });
  }

  /** Null: the writer has failed or is spent. */
  #segmentWithRoom(): Segment | null {
    if (this.#stage.kind === 'failed' || this.#stage.kind === 'spent') return null;
    if (this.#filling?.isFull === false) return this.#filling;
    this.#storeFilling();
    this.#filling = this.#newSegment(this.#stage);
    return this.#filling;
  }

  /** Moves the segment that was being filled to the rest of the body. */
  #storeFilling(): void {
    const segment = this.#filling;
    this.#filling = null;
    if (segment === null) return;
    if (segment.used === 0) segment.release();
    else if (this.#stage.kind === 'file') this.#stage.file.add(segment);
    else this.#full.push(segment);
  }

  #newSegment(stage: Stage): Segment | null {
    switch (stage.kind) {
      case 'memory':
        return this.#room.memorySegment(this.#bytes) ?? this.#newSegment(this.#waitOrSpill());
      case 'waiting':
        return this.#room.waitingSegment(this.#bytes);
      case 'file':
        // While it waits, bytes that have already arrived still go into segments.
        return stage.waitsForDisk || this.#hasDisk(stage.file) ? this.#room.fileSegment() : null;
      case 'failed':
      case 'spent':
        return null;
    }
  }

  #waitOrSpill(): Stage {
    const mayWait = this.#room.waitForMemory(this.#bytes, (how) => {
      if (this.#stage.kind !== 'waiting') return;
      if (how === 'taken') this.#stage = { kind: 'memory' };
      else this.#spill();
      this.#notifyDrained();
    });
    return mayWait ? (this.#stage = { kind: 'waiting' }) : this.#spill();
  }

  /** Moves the body to a file, starting with what is in memory. */
  #spill(): Stage {
    try {
      const file = new SpoolFile(this.#openFile(), (fault) => {
        if (fault !== null) this.#fail(fault);
        this.#notifyDrained();
      });
      this.#stage = { kind: 'file', file, waitsForDisk: false };
      for (const segment of this.#full.splice(0)) file.add(segment);
    } catch (error) {
      this.#fail(ioFault(error));
    }
    return this.#stage;
  }

  /** Whether disk space is available now or later; false: never, and the body has failed. */
  #hasDisk(file: SpoolFile): boolean {
    const limitBytes = this.#room.diskLimitBytes;
    const exhausted: SinkFault = { kind: 'exhausted', option: 'disk-total', limitBytes };
    const when = this.#room.takeDisk(this.#bytes, (how) => {
      if (how === 'refused') this.#fail(exhausted);
      else if (this.#stage.kind === 'file') this.#stage = { kind: 'file', file, waitsForDisk: false };
      this.#notifyDrained();
    });
    if (when === 'later') this.#stage = { kind: 'file', file, waitsForDisk: true };
    else if (when === 'never') this.#fail(exhausted);
    return when !== 'never';
  }

  #fail(fault: SinkFault): void {
    const stage = this.#stage;
    if (stage.kind === 'failed' || stage.kind === 'spent') return;
    this.#stage = { kind: 'failed', file: stage.kind === 'file' ? stage.file : null, fault };
  }

  /** Calls the `whenDrained` callback, if the writer is no longer congested. */
  #notifyDrained(): void {
    if (this.congested) return;
    const resume = this.#onDrained;
    this.#onDrained = null;
    resume?.();
  }
}
