/** The package as it would be published: what is in it, and that every Node and TypeScript can use it. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { productionPackages } from '../../scripts/generated/locked-packages.ts';
import { Installed } from './installed.ts';
import { NODES } from './nodes.ts';

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

let installed: Installed;
beforeAll(async () => {
  installed = await Installed.install();
}, 120_000);
afterAll(() => installed[Symbol.dispose]());

describe('the tarball', () => {
  test('holds what is needed, and nothing else', () => {
    const surplus = installed.files.filter(
      (file) => !/^(dist\/(.+\.(js|d\.ts|html|css)|licences\.txt)|config\/\w+\.(yaml|json))$/.test(file),
    );
    expect(surplus.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    expect(installed.files).toContain('dist/observe/page/index.html');
  });

  test('has declarations of the public API only', () => {
    const declarations = installed.files.filter((file) => file.endsWith('.d.ts'));
    expect(declarations.filter((file) => /^dist\/(cli|client|http-proxy|observe|bin)/.test(file))).toEqual(
      [],
    );
    expect(declarations).toEqual(
      expect.arrayContaining(['dist/index.d.ts', 'dist/middleware.d.ts', 'dist/vite.d.ts']),
    );
  });
});

/** Starts a proxy in front of nobody, and diagnoses nobody, who cannot be reached. */
const USE = `
  const proxy = createProxy({ port: 0, admin: true, adminPort: 0, target: 'http://127.0.0.1:9' });
  proxy.start().then(() => proxy.close()).then(() => console.log('closed'));
`;

describe.each(NODES)('Node %s', (_version, node) => {
  test('runs it by its name', () => {
    const version = { code: 0, stdout: `${manifest.version}\n`, stderr: '' };
    expect(installed.run(node, 'node_modules/.bin/lastbyte', '--version')).toEqual(version);
    expect(installed.run(node, 'npx', '--no-install', 'lastbyte', '--version')).toEqual(version);
  });

  test('finds its files, whichever command is asked', () => {
    const printed = installed.run(node, 'node_modules/.bin/lastbyte', 'print-config', '--json');
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(installed.run(node, 'node_modules/.bin/lastbyte', 'completion', 'bash').code).toBe(0);
    const written = installed.run(node, 'node_modules/.bin/lastbyte', 'init', '--force', '--compose');
    expect(written).toMatchObject({ code: 0, stderr: '' });
    expect(readFileSync(join(installed.folder, 'lastbyte.yaml'), 'utf8')).toContain(
      '$schema=./node_modules/lastbyte/config/schema.json\n',
    );
  });

  test('the compose file that it writes builds from where it is installed', () => {
    installed.run(node, 'node_modules/.bin/lastbyte', 'init', '--force', '--compose');
    const { lastbyte } = parse(
      readFileSync(join(installed.folder, 'compose.lastbyte.yaml'), 'utf8'),
    ).services;
    const { context, dockerfile_inline: recipe } = lastbyte.build;
    const copied = [...recipe.matchAll(/^COPY (\S+)/gm)].map(([, name = '']) => name);
    expect(copied).toEqual(['package.json', 'dist', 'config']);
    for (const name of copied) expect(existsSync(join(installed.folder, context, name))).toBe(true);
  });

  test('imports it', () => {
    const program = `import { createProxy, diagnose, ConfigError, ProxyError } from 'lastbyte';${USE}`;
    expect(installed.run(node, node, '--input-type=module', '--eval', program)).toEqual({
      code: 0,
      stdout: 'closed\n',
      stderr: '',
    });
  });

  test.each([
    ['import', `import { createMiddleware } from 'lastbyte/middleware';`],
    ['require', `const { createMiddleware } = require('lastbyte/middleware');`],
  ])('has the middleware, by %s', (how, load) => {
    const program = `${load} createMiddleware({ target: 9 }).close().then(() => console.log('closed'));`;
    const flags = how === 'import' ? ['--input-type=module'] : [];
    const { code, stdout } = installed.run(node, node, ...flags, '--eval', program);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'closed\n' });
  });

  test('has the plugin for Vite, without Vite', () => {
    const program = `import lastbyte from 'lastbyte/vite'; console.log(lastbyte({ '/api': '8000' }).name);`;
    const run = installed.run(node, node, '--input-type=module', '--eval', program);
    expect(run).toEqual({ code: 0, stdout: 'lastbyte\n', stderr: '' });
  });

  test("runs the README's sample", () => {
    const readme = readFileSync(join(installed.folder, 'node_modules', 'lastbyte', 'README.md'), 'utf8');
    const [, sample = ''] = /^```js\n(import [^]*?)^```$/m.exec(readme) ?? [];
    const { code, stdout, stderr } = installed.run(node, node, '--input-type=module', '--eval', sample);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/);
  });

  test('requires it', () => {
    const program = `const { createProxy, diagnose, ConfigError, ProxyError } = require('lastbyte');${USE}`;
    const { code, stdout, stderr } = installed.run(node, node, '--eval', program);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'closed\n' });
    // The first releases that could require a module said that it is experimental.
    expect(stderr.replaceAll(/^.*(ExperimentalWarning: CommonJS module|--trace-warnings).*\n/gm, '')).toBe(
      '',
    );
  });
});

const CONSUMER = `
const proxy: Proxy = createProxy({ target: 'localhost:8000', port: 0, bodyHold: '200ms', accessLog: 'off' });
proxy.on('exchange', (record: ExchangeRecord) => {
  const status: number | null = record.status;
  // @ts-expect-error: a record has no such field
  record.nonsense;
  void status;
});
// @ts-expect-error: there is no such option
createProxy({ bodyHodl: '200ms' });
const report: Promise<DiagnosisReport> = diagnose('http://127.0.0.1:8000/');
void report.then(({ verdict }) => verdict === 'fault');
const late = (error: unknown): string => (error instanceof ProxyError ? error.code : '');
void late;
const { middleware, upgrade }: Middleware = createMiddleware({ target: '8000', paths: ['/api'], admin: 8081 });
createServer(middleware).on('upgrade', upgrade);
// @ts-expect-error: the port is the server's
createMiddleware({ port: 80 });
const plugin: VitePlugin = lastbyteInVite({ '/api': { target: 'http://127.0.0.1:8000', ws: true } });
// @ts-expect-error: an entry has no such option
lastbyteInVite({ '/api': { target: 'http://127.0.0.1:8000', xfwd: true } });
void plugin;
`;
const IMPORT = `import { createProxy, diagnose, ProxyError, type DiagnosisReport, type ExchangeRecord, type Proxy } from 'lastbyte';
import { createMiddleware, type Middleware } from 'lastbyte/middleware';
import lastbyteInVite, { type VitePlugin } from 'lastbyte/vite';
import { createServer } from 'node:http';
`;
const REQUIRE = `import lastbyte = require('lastbyte');
const { createProxy, diagnose, ProxyError } = lastbyte;
type Proxy = lastbyte.Proxy;
type ExchangeRecord = lastbyte.ExchangeRecord;
type DiagnosisReport = lastbyte.DiagnosisReport;
import inside = require('lastbyte/middleware');
const { createMiddleware } = inside;
type Middleware = inside.Middleware;
import vite = require('lastbyte/vite');
const lastbyteInVite = vite.default;
type VitePlugin = vite.VitePlugin;
import http = require('node:http');
const { createServer } = http;
`;

describe('TypeScript checks a program that uses it', () => {
  const NODENEXT = { module: 'nodenext', moduleResolution: 'nodenext' };
  test.each([
    ['a module, resolved as Node does', 'consumer.mts', IMPORT, NODENEXT],
    ['CommonJS, resolved as Node does', 'consumer.cts', REQUIRE, NODENEXT],
    ['a bundler', 'consumer.ts', IMPORT, { module: 'esnext', moduleResolution: 'bundler' }],
  ])('%s', (_, name, head, options) => {
    expect(installed.typeCheck(name, `${head}${CONSUMER}`, options)).toBe('');
  });
});

test('the bill of materials names every package that users get', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lastbyte-sbom-'));
  const file = join(folder, 'lastbyte.cdx.json');
  execFileSync(fileURLToPath(new URL('../../scripts/sbom.sh', import.meta.url)), [file]);
  const bill: unknown = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(folder, { recursive: true });
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: {
      component: {
        name: 'lastbyte',
        version: manifest.version,
        purl: `pkg:npm/lastbyte@${manifest.version}`,
      },
    },
    components: expect.arrayContaining(
      productionPackages().map(({ version }) => expect.objectContaining({ version })),
    ),
  });
  expect(componentsOf(bill)).toEqual(productionPackages().map(({ name, version }) => `${name} ${version}`));
});

function componentsOf(bill: unknown): readonly string[] {
  const { components } = Object(bill);
  const names = components.map(
    ({ group, name, version }: Record<string, string>) =>
      `${group === undefined ? '' : `${group}/`}${name} ${version}`,
  );
  return [...new Set<string>(names)].sort();
}
