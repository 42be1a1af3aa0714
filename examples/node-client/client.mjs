// The client of Django ticket 32472: node client.mjs URL [TRIES]. It posts JSON in chunks, without a Content-Length.

import http from 'node:http';

const [url = 'http://127.0.0.1:8080/report', tries = '10'] = process.argv.slice(2);
const BODY = JSON.stringify({ filter: 'x'.repeat(100_000) });
const PAUSE_MS = 2;

/** @returns {Promise<string>} 'whole', or why it is not */
function post() {
  return new Promise((resolve) => {
    const request = http.request(url, { method: 'POST', agent: false });
    request.on('error', (error) => resolve(error.code ?? error.message));
    request.on('response', (response) => {
      let bytes = 0;
      response.on('data', (part) => {
        bytes += part.length;
        // As busy as a client that does something with what it reads.
        response.pause();
        setTimeout(() => response.resume(), PAUSE_MS);
      });
      response.on('error', (error) => resolve(`${error.code} after ${bytes} bytes`));
      response.on('end', () =>
        resolve(response.statusCode === 200 ? 'whole' : `status ${response.statusCode}`),
      );
    });
    // write() and then end(): Node sends the body in chunks.
    request.write(BODY);
    request.end();
  });
}

const results = [];
for (let attempt = 0; attempt < Number(tries); attempt += 1) results.push(await post());
const cut = results.filter((result) => result !== 'whole');
console.log(
  `${url}: ${results.length - cut.length} of ${results.length} whole${cut.length > 0 ? `; first: ${cut[0]}` : ''}`,
);
process.exitCode = cut.length === 0 ? 0 : 1;
