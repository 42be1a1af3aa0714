/** An upstream with the fault that lastbyte is for: it closes on a body that it has not read. */

import { Upstream } from '../harness/upstream.ts';

export const ROWS = 55_000;
const BODY = JSON.stringify({
  rows: Array.from({ length: ROWS }, (_, id) => ({ id, text: String(id).padStart(64, '0') })),
});
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\nConnection: close\r\n\r\n${BODY}`;

/** Answers each request with the same 5 MB of JSON. */
export async function startUnread(port = 0): Promise<Upstream> {
  return await Upstream.start(async (connection) => {
    if ((await connection.request()) === null) return;
    connection.socket.pause();
    await connection.send(ANSWER);
    connection.socket.destroy();
  }, port);
}
