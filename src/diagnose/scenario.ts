/** What a scenario is: one way for a client to ask, to send its body, to read, and to close. */

/** How the request's body is framed and when it is sent. */
export type BodyPlan =
  | { readonly framing: 'none' }
  | {
      readonly framing: 'length' | 'chunked';
      /**
       * - `at-once`: right behind the head
       * - `withheld`: when the server has been silent for a while; never, if the whole answer comes before
       * - `half`: half of it behind the head, the other half as if withheld
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
  /** `slow`: at most 64 KiB, then a pause. `late`: not one octet for a while, then without a pause. */
  readonly reader: 'fast' | 'slow' | 'late';
  /** Whether we send our FIN behind the request. */
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

type PlanChoices = Partial<Omit<Plan, 'body'>> & {
  readonly framing?: 'length' | 'chunked';
  readonly sent?: 'at-once' | 'withheld' | 'half' | 'on-continue';
};

/** A plan that differs from the plainest request, a GET with `Connection: close` to a fast reader, in what is named. */
export function plan({ framing, sent = 'at-once', ...rest }: PlanChoices): Plan {
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
