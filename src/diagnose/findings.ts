/** All findings, the gravest first: from what was observed to what it means. Pure. */

import type { Finder, Finding, Study } from './finding.ts';
import { closedEarly, stalled, wrongLength } from './findings/cut-in-order.ts';
import { keepAliveClosed, leftoverBody } from './findings/keep-alive.ts';
import { halfClose, noAnswer, silent } from './findings/no-answer.ts';
import { noLastChunk } from './findings/no-last-chunk.ts';
import { endless, errorStatus, smallAnswer, untilClose } from './findings/notes.ts';
import { gone, notHttp } from './findings/not-http.ts';
import { reset } from './findings/reset.ts';
import { surplus } from './findings/surplus.ts';
import { unreadBody } from './findings/unread-body.ts';

const FINDERS: readonly Finder[] = [
  unreadBody,
  reset,
  wrongLength,
  closedEarly,
  noLastChunk,
  stalled,
  surplus,
  notHttp,
  noAnswer,
  silent,
  gone,
  leftoverBody,
  keepAliveClosed,
  halfClose,
  untilClose,
  endless,
  errorStatus,
  smallAnswer,
];

export function findingsOf(study: Study): readonly Finding[] {
  return FINDERS.flatMap((find) => find(study) ?? []);
}
