/** Answers of our own: what went wrong, for a program or for a person. */

import { STATUS_CODES } from 'node:http';
import type { ProxyError } from '../errors.ts';
import { prefersHtml } from '../http/accept.ts';
import { fieldValues } from '../http/fields.ts';
import { renderProblem } from '../http/problem.ts';
import type { Request } from '../http/request.ts';
import { bodyInMemory } from '../spool/spooled-body.ts';
import { hasBody } from './deliver.ts';
import type { Answer } from './deliver.ts';

/** What a refusal tells beyond the error itself. */
export interface RefusalFacts {
  readonly nextHop: string | null;
  readonly receivedStatus: number | null;
  /** A short clause with the numbers, such as "30000 of 51200". */
  readonly details: string | null;
  readonly extensions: Readonly<Record<string, string | number | boolean | null>>;
}

export const NO_FACTS: RefusalFacts = { nextHop: null, receivedStatus: null, details: null, extensions: {} };

/** The answer that refuses a request, as HTML for a browser and as application/problem+json for all others. */
export function refusalAnswer(request: Request, error: ProxyError, facts: RefusalFacts, id: string): Answer {
  const { fields, body } = renderProblem({
    error,
    html: prefersHtml(fieldValues(request.fields, 'accept').join(', ')),
    instance: `urn:lastbyte:exchange:${id}`,
    ...facts,
  });
  return {
    status: error.status,
    reason: STATUS_CODES[error.status] ?? '',
    fields,
    body: hasBody(request.method, error.status) ? bodyInMemory([body], body.length, () => undefined) : null,
  };
}
