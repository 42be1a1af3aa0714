/** The same four paths as answers.py on Node's own http server: `node node-app.js PORT`. */

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const PLAIN = 'text/plain; charset=us-ascii';
const JSON_TYPE = 'application/json';

/** Computed once a size: the time to make a response is no part of what is measured. */
const once = (make) => {
  const made = new Map();
  return (count) => {
    const known = made.get(count) ?? make(count);
    made.set(count, known);
    return known;
  };
};

const numberedBytes = once((count) => {
  const lines = Array.from(
    { length: Math.ceil(count / 16) },
    (_, line) => `${String(line).padStart(15, '0')}\n`,
  );
  return Buffer.from(lines.join('').slice(0, count), 'latin1');
});

const jsonDocument = once((count) => {
  const rows = Array.from({ length: Math.max(1, Math.floor(count / 88)) }, (_, id) => ({
    id,
    text: String(id).padStart(64, '0'),
  }));
  return Buffer.from(JSON.stringify({ count: rows.length, rows }));
});

const digest = async (request) => {
  const hash = createHash('sha256');
  let length = 0;
  for await (const part of request) {
    hash.update(part);
    length += part.length;
  }
  return Buffer.from(JSON.stringify({ sha256: hash.digest('hex'), length }));
};

const pairs = (flat) => flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]]] : []));

const answer = async (request) => {
  const sized = /^\/(bytes|json)\/([0-9]{1,10})$/.exec(request.url);
  if (sized !== null) {
    const count = Number(sized[2]);
    return sized[1] === 'bytes' ? [200, PLAIN, numberedBytes(count)] : [200, JSON_TYPE, jsonDocument(count)];
  }
  if (request.url === '/echo') return [200, JSON_TYPE, await digest(request)];
  if (request.url === '/headers')
    return [200, JSON_TYPE, Buffer.from(JSON.stringify(pairs(request.rawHeaders)))];
  return [404, PLAIN, Buffer.from('no such path\n')];
};

const respond = async (request, response) => {
  const [status, mediaType, body] = await answer(request);
  response.writeHead(status, { 'Content-Type': mediaType, 'Content-Length': body.length });
  response.end(body);
};

createServer((request, response) => {
  respond(request, response).catch(() => response.destroy());
}).listen(Number(process.argv[2]), '127.0.0.1');
