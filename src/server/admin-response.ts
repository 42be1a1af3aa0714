/** Writes the responses of the admin listener, as fast as they are taken, to clients that may leave at any moment. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { AdminAnswer, PartsAnswer, StreamAnswer } from '../observe/pages.ts';

const FIELDS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Resolves when all is written, or the client has left, or a stream has begun. */
export async function writeAnswer(
  { method, socket }: IncomingMessage,
  response: ServerResponse,
  answer: AdminAnswer,
): Promise<void> {
  writeHead(response, answer);
  if (method === 'HEAD') response.end();
  else if (answer.kind === 'whole') response.end(answer.body);
  else if (answer.kind === 'parts') await writeParts(socket, response, answer);
  else stream(socket, response, answer);
}

function writeHead(response: ServerResponse, answer: AdminAnswer): void {
  const common = { ...FIELDS, 'Content-Type': answer.contentType };
  switch (answer.kind) {
    case 'whole':
      response.writeHead(answer.status, {
        ...common,
        'Content-Length': Buffer.byteLength(answer.body),
        ...answer.fields,
      });
      return;
    case 'parts':
      response.writeHead(200, { ...common, ...answer.fields });
      return;
    case 'stream':
      response.writeHead(200, { ...common, Connection: 'close' });
      return;
  }
}

async function writeParts(socket: Socket, response: ServerResponse, { parts }: PartsAnswer): Promise<void> {
  for (const part of parts()) {
    if (!response.write(part)) await taken(socket, response);
    await othersTurn();
    if (socket.destroyed || socket.readableEnded) {
      response.destroy();
      return;
    }
  }
  response.end();
}

/** Resolves when what was written is on its way, or never will be. */
function taken(socket: Socket, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      response.off('drain', over);
      socket.off('close', over);
      resolve();
    };
    response.on('drain', over);
    // A response that waits for its turn after another is not told of the end of their connection.
    socket.on('close', over);
  });
}

/** A watcher that closes its side has left (see docs/decisions, 9). */
function stream(socket: Socket, response: ServerResponse, { open }: StreamAnswer): void {
  let watches = !socket.destroyed && !socket.readableEnded;
  let leave = (): void => undefined;
  const end = (): void => {
    if (!watches) return;
    watches = false;
    leave();
    socket.off('end', end).off('close', end);
    // What it has not taken by now, it will not take.
    if (response.writableNeedDrain) response.destroy();
    else response.end();
  };
  if (!watches) {
    response.end();
    return;
  }
  // The response's own `close` does not come to one that waits for its turn after another.
  socket.on('end', end).on('close', end);
  const leaving = open({
    write: (text) => {
      if (watches) response.write(text);
    },
    get congested() {
      return response.writableNeedDrain;
    },
    end,
  });
  if (watches) leave = leaving;
  else leaving();
}
