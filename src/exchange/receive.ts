/** Receives the complete body of the client's request. */

import type { IncomingMessage } from 'node:http';
import { ProxyError } from '../errors.ts';
import type { SpoolWriter } from '../spool/spool-writer.ts';
import type { SinkFault, SpooledBody } from '../spool/spooled-body.ts';

export type Received =
  | { readonly kind: 'body'; readonly body: SpooledBody }
  | { readonly kind: 'refused'; readonly error: ProxyError }
  | { readonly kind: 'gone' };

/** A body that is being received. */
export interface Receiving {
  readonly result: Promise<Received>;
  /** Stops receiving, with this result. */
  stop(received: Exclude<Received, { kind: 'body' }>): void;
}

/** @param idleTimeoutMs set on the client's socket while we wait for it; its `timeout` event is the caller's */
export function receiveBody(request: IncomingMessage, writer: SpoolWriter, idleTimeoutMs: number): Receiving {
  let settle: (received: Received) => void = () => undefined;
  const result = new Promise<Received>((resolve) => {
    settle = resolve;
  });
  const stop = (received: Received): void => {
    request.off('data', onData).off('end', onEnd).off('close', onClose);
    if (received.kind !== 'body') writer[Symbol.dispose]();
    settle(received);
  };
  const checkFault = (): boolean => {
    if (writer.fault === null) return false;
    request.pause();
    stop({ kind: 'refused', error: faultError(writer.fault) });
    return true;
  };
  const onData = (bytes: Buffer): void => {
    writer.append(bytes);
    if (checkFault() || !writer.congested) return;
    // While reading is paused, the client is not to blame for the silence.
    request.pause().socket.setTimeout(0);
    writer.whenDrained(() => checkFault() || request.resume().socket.setTimeout(idleTimeoutMs));
  };
  const onEnd = (): void => {
    request.off('data', onData).off('end', onEnd).off('close', onClose);
    writer.finish().then(
      (body) => stop('kind' in body ? { kind: 'refused', error: faultError(body) } : { kind: 'body', body }),
      (cause: unknown) => stop({ kind: 'refused', error: spoolError('the body could not be kept', cause) }),
    );
  };
  const onClose = (): void => stop({ kind: 'gone' });
  request.on('data', onData).on('end', onEnd).on('close', onClose);
  checkFault();
  request.socket.setTimeout(idleTimeoutMs);
  return { result, stop };
}

function faultError(fault: SinkFault): ProxyError {
  switch (fault.kind) {
    case 'too-large':
      return new ProxyError(
        'request_body_too_large',
        `The request body is larger than --max-request-body (${fault.limitBytes} bytes). Raise it, or send less.`,
      );
    case 'exhausted':
      return spoolError(
        `all bodies together need more than --${fault.option} (${fault.limitBytes} bytes)`,
        null,
      );
    case 'io':
      return spoolError(`the request body could not be written to --spool-dir (${fault.errorCode})`, null);
  }
}

function spoolError(why: string, cause: unknown): ProxyError {
  return new ProxyError('spool_exhausted', `The request body could not be buffered: ${why}.`, { cause });
}
