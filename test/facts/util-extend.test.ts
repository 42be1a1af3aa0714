/** util._extend, which http-proxy takes when it is loaded. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

describe('util._extend, which http-proxy takes when it is loaded', () => {
  /** Passes one request through http-proxy and prints the response; `_extend` is Node's own, or not while it is loaded. */
  const script = (replaced: boolean): string => `
    const util = require('node:util');
    const http = require('node:http');
    const original = util._extend;
    if (${replaced}) util._extend = Object.assign;
    const { createProxyServer } = require('http-proxy');
    util._extend = original;
    const upstream = http.createServer((request, response) => response.end('answered')).listen(0, '127.0.0.1', () => {
      const proxy = createProxyServer({ target: { host: '127.0.0.1', port: upstream.address().port } });
      const front = http.createServer((request, response) => proxy.web(request, response)).listen(0, '127.0.0.1', () => {
        http.get({ host: '127.0.0.1', port: front.address().port }, (response) => {
          response.on('data', (bytes) => console.log(bytes.toString())).on('end', () => process.exit());
        });
      });
    });
  `;

  const more = (process.env['LASTBYTE_NODES'] ?? '').split(':').filter((path) => path !== '');

  const run = async (node: string, ...args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
    await promisify(execFile)(node, args, { cwd: import.meta.dirname });

  test.each([process.execPath, ...more])(
    'warns of DEP0060 from Node 22 on, unless it was replaced then (%s)',
    async (node) => {
      const { stdout: version } = await run(node, '--print', 'process.versions.node');
      const bare = await run(node, '--trace-deprecation', '--eval', script(false));
      const replaced = await run(node, '--trace-deprecation', '--eval', script(true));
      expect([bare.stdout, replaced.stdout]).toEqual(['answered\n', 'answered\n']);
      expect(bare.stderr.includes('DEP0060')).toBe(Number.parseInt(version, 10) >= 22);
      expect(replaced.stderr).not.toContain('DEP0060');
    },
  );
});
