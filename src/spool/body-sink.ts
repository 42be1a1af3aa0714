/** Where the octets of a body go while they arrive: a spool, or a client that is relayed to. */

/** Why a sink takes no more. */
export type SinkFault =
  | { readonly kind: 'too-large'; readonly limitBytes: number }
  | { readonly kind: 'exhausted'; readonly option: string; readonly limitBytes: number }
  | { readonly kind: 'io'; readonly errorCode: string };

export interface BodySink {
  /** Memory into which the next octets may be read without a copy, never empty; null when there is none now. */
  window(): Uint8Array | null;
  /** `bytes` octets were read into the window that was handed out last. */
  commit(bytes: number): void;
  /** Takes a copy of `octets`, which belong to the caller. */
  append(octets: Uint8Array): void;
  /** True: stop reading until `whenDrained` calls back. */
  readonly congested: boolean;
  whenDrained(resume: () => void): void;
  readonly fault: SinkFault | null;
}
