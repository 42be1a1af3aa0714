/** The scenarios: each is one way for a client to ask, to send its body, to read, and to close. */

/** How the request's body is framed and when it is sent. */
export type BodyPlan =
  | { readonly framing: 'none' }
  | {
      readonly framing: 'length' | 'chunked';
      /**
       * - `at-once`: right after the head
       * - `withheld`: when the server has been silent for a while; never, if the whole response comes first
       * - `half`: half of it after the head, the other half as if withheld
       * - `on-continue`: after `Expect: 100-continue`, when the server says so or stays silent (RFC 9110 section 10.1.1)
       */
      readonly sent: 'at-once' | 'withheld' | 'half' | 'on-continue';
    };

export interface Plan {
  /** `given`: the method that the user asked for. */
  readonly method: 'GET' | 'given';
  readonly version: '1.0' | '1.1';
  readonly connection: 'close' | 'keep-alive';
  readonly body: BodyPlan;
  /** `slow`: at most 64 KiB, then a pause. `late`: not one byte for a while, then without a pause. */
  readonly reader: 'fast' | 'slow' | 'late';
  /** Whether we send our FIN after the request. */
  readonly halfClose: boolean;
  /** Whether a GET follows on the same connection. */
  readonly again: boolean;
}

export interface Scenario {
  /** Stable: it stands in the JSON report. */
  readonly name: string;
  /** Follows the method in the table: `chunked body, close, slow reader`. */
  readonly title: string;
  /** What it finds out: one sentence. */
  readonly purpose: string;
  readonly plan: Plan;
}

/** In the order in which they are run: what others are compared with comes first. */
export const SCENARIOS: readonly Scenario[] = [
  {
    // The plainest case: everything else is compared with it.
    name: 'get-kept',
    title: 'no body, keep-alive, asked twice',
    purpose: 'Whether a keep-alive connection serves a second request.',
    plan: planOf({ connection: 'keep-alive', again: true }),
  },
  {
    // What a script or another server asks by default.
    name: 'get-closed',
    title: 'no body, close',
    purpose: 'Whether a response with Connection: close arrives complete.',
    plan: planOf({}),
  },
  {
    // The ticket as its reporter understood it: a close that overtakes the send buffer.
    name: 'get-slow',
    title: 'no body, close, slow reader',
    purpose: 'Whether the server waits until its response has been sent before it closes.',
    plan: planOf({ reader: 'slow' }),
  },
  {
    // A client that is busy with something else when its response comes.
    name: 'get-late',
    title: 'no body, close, late reader',
    purpose: 'Whether a response survives in the buffers while the client does not read.',
    plan: planOf({ reader: 'late' }),
  },
  {
    // A client that has no more to say and closes its side.
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
    // The method given, with Content-Length: 0: what differs from it with a body is owed to the body.
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
    // The fault at its worst, with a length.
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
    // The cure: the head alone, and the body only when the server seems to wait for it.
    name: 'length-withheld',
    title: 'Content-Length body, close, withheld',
    purpose: 'Whether the server responds without the body, so that nothing is unread when it closes.',
    plan: planOf({ framing: 'length', sent: 'withheld', reader: 'slow' }),
  },
  {
    // An upload that is refused, or answered, before it is over.
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
    // nginx toward its upstream, unless it is told otherwise.
    name: 'length-http10',
    title: 'Content-Length body, HTTP/1.0',
    purpose: 'Whether a body is read before the close that HTTP/1.0 implies.',
    plan: planOf({ framing: 'length', version: '1.0', reader: 'slow' }),
  },
  {
    // A streamed upload: fetch with a stream, Node's http without a length.
    name: 'chunked-closed',
    title: 'chunked body, close',
    purpose: 'Whether a chunked body is read before the connection is closed.',
    plan: planOf({ framing: 'chunked' }),
  },
  {
    // The fault at its worst, in chunks.
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

/** What there is to run for this method: an empty GET is run as a GET already. */
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

/** A plan that differs from the plainest request, a GET with `Connection: close` to a fast reader, in what is named. */
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
