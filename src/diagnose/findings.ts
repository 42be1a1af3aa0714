/** All findings, the gravest first, as one table: where each is seen, what it means, and what helps. Pure. */

import {
  closedEarly,
  endless,
  errorStatus,
  gone,
  halfClose,
  keepAliveClosed,
  leftoverBody,
  noAnswer,
  noLastChunk,
  notHttp,
  reset,
  silent,
  smallAnswer,
  stalled,
  surplus,
  untilClose,
  wrongLength,
} from './detect.ts';
import type { Detect, Finding, Study } from './finding.ts';
import { unreadBody } from './unread-body.ts';

/** What `detect` returns overrides the row. */
type FindingRow = Pick<Finding, 'code' | 'severity' | 'cause' | 'cure' | 'upstreamFix'> & {
  readonly options?: Finding['options'];
  readonly detect: Detect;
};

export function findingsOf(study: Study): readonly Finding[] {
  return FINDINGS.flatMap(({ detect, ...row }) => {
    const detected = detect(study);
    return detected === null ? [] : { options: [], ...row, ...detected };
  });
}

const FINDINGS: readonly FindingRow[] = [
  {
    code: 'unread-body',
    severity: 'fault',
    detect: unreadBody,
    cause:
      'It closes a connection on which bytes of the request are unread; its kernel then sends RST instead of FIN, and ' +
      'throws away the part of the response that it has not sent yet (RFC 2525 section 2.17).',
    cure: 'lastbyte turns a cut response into a 502 that says so; it could not be seen to save it.',
    upstreamFix:
      'Read the request body to its end before closing. Where that cannot be: shut down the sending side, go on reading, ' +
      'and close only after the client has (RFC 9112 section 9.6). In an application: read the body before answering.',
  },
  {
    code: 'reset',
    severity: 'fault',
    detect: reset,
    cause:
      'It closes with SO_LINGER set to 0, its process or worker dies, or something on the way drops the connection.',
    cure:
      'lastbyte asks again for what is safe to repeat (--retries), and turns what stays cut into a 502 that says so; ' +
      'a POST is not repeated.',
    upstreamFix:
      'Look into its log for a worker that ended. Do not set SO_LINGER to 0; shut down the sending side and wait for the ' +
      'client to close (RFC 9112 section 9.6).',
    options: ['--retries', '--retry-backoff'],
  },
  {
    code: 'wrong-length',
    severity: 'fault',
    detect: wrongLength,
    cause:
      'Its Content-Length is larger than its body: often characters are counted for bytes, or a body is changed after it was measured.',
    cure: 'lastbyte makes of it a 502 instead of a 200 with a part, and asks again for what is safe to repeat.',
    upstreamFix: 'Set Content-Length to the bytes of the body, or leave it out and send chunks.',
  },
  {
    code: 'closed-early',
    severity: 'fault',
    detect: closedEarly,
    cause:
      'Whatever makes its body ends too early: an exception after the head, a worker that is stopped, or a time limit.',
    cure: 'lastbyte makes of it a 502 instead of a 200 with a part, and asks again for what is safe to repeat.',
    upstreamFix: 'Look into its log at the time of the cut.',
    options: ['--retries'],
  },
  {
    code: 'no-last-chunk',
    severity: 'fault',
    detect: noLastChunk,
    cause:
      'Whatever makes its body ended by an exception, or it forgets the chunk of length 0 that ends a body (RFC 9112 section 7.1).',
    cure:
      'lastbyte makes of it a 502, or a 504 where it waits, instead of a 200 with a part, and asks again for what is safe to repeat: ' +
      'without the last chunk nobody can know that the response is whole.',
    upstreamFix: 'Look into its log for the exception; send "0", CRLF, CRLF after the last chunk.',
  },
  {
    code: 'stalled',
    severity: 'fault',
    detect: stalled,
    cause: 'It waits for something that does not come, or it needs longer than the time it was given here.',
    cure:
      'lastbyte makes of it a 504 after --body-idle-timeout instead of a client that hangs, and asks again for what is ' +
      'safe to repeat.',
    upstreamFix: 'Find out what it waits for.',
    options: ['--body-idle-timeout'],
  },
  {
    code: 'surplus',
    severity: 'fault',
    detect: surplus,
    cause:
      'Its Content-Length is smaller than its body: often characters are counted for bytes. Clients cut it off there, or take the rest for the next response.',
    cure: 'lastbyte delivers what was announced, drops the rest with a note in its log, and never uses such a connection again; it cannot know that the rest was meant.',
    upstreamFix: 'Set Content-Length to the bytes of the body, or leave it out and send chunks.',
  },
  {
    code: 'not-http',
    severity: 'fault',
    detect: notHttp,
    cause: 'Another protocol is spoken on this port, or something writes into the response.',
    cure: 'lastbyte answers 502 in words instead of passing it on.',
    upstreamFix: 'Check the address and the port; look what writes to the socket besides the server.',
    options: ['--target'],
  },
  {
    code: 'no-answer',
    severity: 'fault',
    detect: noAnswer,
    cause: 'It gives up on the request: often its process ended, or it does not speak HTTP/1.1 on this port.',
    cure: 'lastbyte asks again for what is safe to repeat (--retries), and answers 502 in words otherwise.',
    upstreamFix: 'Look into its log; answer a request that is refused with a status.',
    options: ['--retries'],
  },
  {
    code: 'silent',
    severity: 'fault',
    detect: silent,
    cause: 'It hangs, sits at a breakpoint, needs longer, or waits for a body that it was not sent.',
    cure: 'lastbyte answers 504 after --first-byte-timeout, so that no client hangs.',
    upstreamFix: 'Find out what it waits for. If it needs longer, run this again with a larger --timeout.',
    options: ['--first-byte-timeout'],
  },
  {
    code: 'gone',
    severity: 'fault',
    detect: gone,
    cause: 'It crashed, restarted, or its queue of connections is full.',
    cure: 'lastbyte lets a request wait for a server that is restarting (--wait-for-upstream).',
    upstreamFix: 'Look into its log at the time of these tries.',
    options: ['--wait-for-upstream'],
  },
  {
    // The server takes what is left of a body for the next request.
    code: 'leftover-body',
    severity: 'fault',
    detect: leftoverBody,
    cause:
      'It neither reads the body to its end nor closes the connection (RFC 9112 section 9.3 asks for one of them), so the body stands where the next request should.',
    cure: 'lastbyte never uses a connection again that carried a request body.',
    upstreamFix:
      'Read the request body to its end before the next request is read, or say "Connection: close" and close. A client may smuggle requests through this.',
  },
  {
    code: 'keep-alive-closed',
    severity: 'fault',
    detect: keepAliveClosed,
    cause:
      'In HTTP/1.1 a connection stays open unless one side says "Connection: close" (RFC 9112 section 9.3); this server leaves it out.',
    cure: 'lastbyte notices an idle connection that is closed, and sends a safe request again on a fresh one at no cost of a try; a request with a body never goes out on a used connection.',
    upstreamFix:
      'Send "Connection: close" with a response that is the last of its connection, or keep it open.',
    options: ['--max-idle-connections 0'],
  },
  {
    // Many servers take a client that has sent its FIN for one that has left; few clients do it.
    code: 'half-close',
    severity: 'note',
    detect: halfClose,
    cause:
      'It takes the FIN of the client for its departure; it could still be answered (RFC 9112 section 9.6).',
    cure: 'lastbyte answers such a client, and never half-closes toward the server.',
    upstreamFix: null,
  },
  {
    code: 'until-close',
    severity: 'note',
    detect: untilClose,
    cause:
      'Such a response that is cut by a FIN looks like a whole one: nobody can tell them apart (RFC 9112 section 8).',
    cure: 'lastbyte delivers it with the length it had, and notes in its log that it is unproven.',
    upstreamFix: 'Send a Content-Length, or chunks to clients of HTTP/1.1.',
  },
  {
    code: 'endless',
    severity: 'note',
    detect: endless,
    cause: 'A stream of events, a feed, or a response larger than --max-answer or slower than --try-limit.',
    cure: 'lastbyte must not wait for the end of a stream: name its path with --stream, or send it as text/event-stream.',
    upstreamFix: null,
    options: ['--stream <path>'],
  },
  {
    code: 'error-status',
    severity: 'note',
    detect: errorStatus,
    cause: 'It does not want this request, so what it does with a response that matters was not seen.',
    cure: null,
    upstreamFix: 'Run this again as your client asks: --method, --header and --data.',
  },
  {
    code: 'small-answer',
    severity: 'note',
    detect: smallAnswer,
    cause: 'What fits into the buffers on the way is sent before the connection is closed.',
    cure: null,
    upstreamFix: 'Run this again on an address with a larger response.',
  },
];
