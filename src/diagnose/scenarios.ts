/** The scenarios: each is one way in which a client sends a request and its body, reads, and closes. */

/** How the request body is framed, and when it is sent. */
export type BodyPlan =
  | { readonly framing: 'none' }
  | {
      readonly framing: 'length' | 'chunked';
      /**
       * - `at-once`: right after the head
       * - `withheld`: when the server has been silent for a while; never if the complete response comes first
       * - `half`: half of it after the head, the other half as if withheld
       * - `on-continue`: after `Expect: 100-continue`, when the server sends 100 or stays silent (RFC 9110 section 10.1.1)
       */
      readonly sent: 'at-once' | 'withheld' | 'half' | 'on-continue';
    };

export interface Plan {
  /** `given`: the user's method. */
  readonly method: 'GET' | 'given';
  readonly version: '1.0' | '1.1';
  readonly connection: 'close' | 'keep-alive';
  readonly body: BodyPlan;
  /** `slow`: pauses after every 128 KiB. `late`: reads nothing for a while, then without pauses. */
  readonly reader: 'fast' | 'slow' | 'late';
  /** Whether we send our FIN after the request. */
  readonly halfClose: boolean;
  /** Whether a GET follows on the same connection. */
  readonly again: boolean;
}

export interface Scenario {
  /** Stable: it is part of the JSON report. */
  readonly name: string;
  /** Follows the method in the table: `chunked body, close, slow reader`. */
  readonly title: string;
  /** What it finds out: one sentence. */
  readonly purpose: string;
  readonly plan: Plan;
}

/** In the order of a run: those that others are compared with come first. */
export const SCENARIOS: readonly Scenario[] = [
  {
    // The simplest case, which all others are compared with.
    name: 'get-kept',
    title: 'no body, keep-alive, asked twice',
    purpose: 'Whether a keep-alive connection serves a second request.',
    plan: planOf({ connection: 'keep-alive', again: true }),
  },
  {
    // The default of scripts and of other servers.
    name: 'get-closed',
    title: 'no body, close',
    purpose: 'Whether a response with Connection: close arrives complete.',
    plan: planOf({}),
  },
  {
    // A close that overtakes the send buffer.
    name: 'get-slow',
    title: 'no body, close, slow reader',
    purpose: 'Whether the server waits until its response has been sent before it closes.',
    plan: planOf({ reader: 'slow' }),
  },
  {
    // A client that is busy when its response arrives.
    name: 'get-late',
    title: 'no body, close, late reader',
    purpose: 'Whether a response survives in the buffers while the client does not read.',
    plan: planOf({ reader: 'late' }),
  },
  {
    // A client that closes its sending side after the request.
    name: 'get-half-closed',
    title: 'no body, close, half-closed',
    purpose: 'Whether a client that has sent its FIN still gets the response (RFC 9112 section 9.6).',
    plan: planOf({ halfClose: true }),
  },
  {
    // ab, old health checks, and proxies that speak HTTP/1.0 upstream.
    name: 'get-http10',
    title: 'no body, HTTP/1.0',
    purpose: 'How the server responds to an HTTP/1.0 client.',
    plan: planOf({ version: '1.0' }),
  },
  {
    // The user's method with Content-Length: 0: any difference from the same with a body is due to the body.
    name: 'empty-closed',
    title: 'empty body, close',
    purpose: 'Whether the response to this method is complete when there is no body to leave unread.',
    plan: planOf({ method: 'given' }),
  },
  {
    // A form, or JSON, from a client that does not keep its connection.
    name: 'length-closed',
    title: 'Content-Length body, close',
    purpose: 'Whether a Content-Length body is read before the connection is closed.',
    plan: planOf({ framing: 'length' }),
  },
  {
    // The worst case of the fault, with a length.
    name: 'length-slow',
    title: 'Content-Length body, close, slow reader',
    purpose: 'The same, when part of the response is still in the buffers.',
    plan: planOf({ framing: 'length', reader: 'slow' }),
  },
  {
    // A client with a connection pool.
    name: 'length-kept',
    title: 'Content-Length body, keep-alive, then a GET',
    purpose: 'Whether keep-alive prevents the cut, and whether an unread body corrupts the next request.',
    plan: planOf({ framing: 'length', connection: 'keep-alive', again: true }),
  },
  {
    // The cure: only the head, and the body once the server seems to wait for it.
    name: 'length-withheld',
    title: 'Content-Length body, close, withheld',
    purpose: 'Whether the server responds without the body, so that nothing is unread when it closes.',
    plan: planOf({ framing: 'length', sent: 'withheld', reader: 'slow' }),
  },
  {
    // An upload that gets its response before it is complete.
    name: 'length-half',
    title: 'Content-Length body, close, half of it sent',
    purpose: 'What happens to a client that is still uploading when the response arrives.',
    plan: planOf({ framing: 'length', sent: 'half', reader: 'slow' }),
  },
  {
    // What curl does with a large body.
    name: 'length-expect',
    title: 'Content-Length body, close, Expect',
    purpose: 'Whether 100 (Continue) is sent only when the server wants the body.',
    plan: planOf({ framing: 'length', sent: 'on-continue', reader: 'slow' }),
  },
  {
    // nginx's default toward its upstream.
    name: 'length-http10',
    title: 'Content-Length body, HTTP/1.0',
    purpose: 'Whether a body is read before the close that HTTP/1.0 implies.',
    plan: planOf({ framing: 'length', version: '1.0', reader: 'slow' }),
  },
  {
    // A streamed upload: fetch with a stream, or Node's http without a length.
    name: 'chunked-closed',
    title: 'chunked body, close',
    purpose: 'Whether a chunked body is read before the connection is closed.',
    plan: planOf({ framing: 'chunked' }),
  },
  {
    // The worst case of the fault, in chunks.
    name: 'chunked-slow',
    title: 'chunked body, close, slow reader',
    purpose: 'The same, when part of the response is still in the buffers.',
    plan: planOf({ framing: 'chunked', reader: 'slow' }),
  },
  {
    // A proxy that passes chunks on.
    name: 'chunked-kept',
    title: 'chunked body, keep-alive, then a GET',
    purpose: 'Whether keep-alive prevents the cut, and whether an unread body corrupts the next request.',
    plan: planOf({ framing: 'chunked', connection: 'keep-alive', again: true }),
  },
];

/** The scenarios for this method: for GET, an empty body is the same as none. */
export function scenariosFor(method: string, only: readonly string[]): readonly Scenario[] {
  const fitting = SCENARIOS.filter(
    ({ plan }) => sendsBody(plan) || plan.method === 'GET' || method !== 'GET',
  );
  return only.length === 0 ? fitting : fitting.filter(({ name }) => only.includes(name));
}

type PlanChoices = Partial<Omit<Plan, 'body'>> & {
  readonly framing?: 'length' | 'chunked';
  readonly sent?: 'at-once' | 'withheld' | 'half' | 'on-continue';
};

/** A plan with these choices; the default is a GET with `Connection: close` and a fast reader. */
export function planOf({ framing, sent = 'at-once', ...rest }: PlanChoices): Plan {
  return {
    method: framing === undefined ? 'GET' : 'given',
    version: '1.1',
    connection: 'close',
    body: framing === undefined ? { framing: 'none' } : { framing, sent },
    reader: 'fast',
    halfClose: false,
    again: false,
    ...rest,
  };
}

export function sendsBody({ body }: Plan): boolean {
  return body.framing !== 'none';
}
