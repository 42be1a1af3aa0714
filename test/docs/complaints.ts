/** What real clients print when they ask one address: the words that their users search for. */

import type { Browser } from 'playwright-core';
import { launchChromium, whyNoChromium } from '../browser/chromium.ts';
import { whyNo } from '../harness/need.ts';
import { pythonWith, whyNoPython } from '../real/python.ts';
import { runClient } from '../harness/process.ts';

export interface ComplainingClient {
  /** As a sentence; null when it can run. */
  readonly missing: () => string | null;
  /** All that it says about GET `url`. Empty: nothing went wrong. */
  readonly ask: (url: string) => Promise<string>;
}

const NODE_HTTP = `
const http = require('node:http');
const complain = (error) => console.error(error);
const request = http.get(process.argv[1], { agent: false }, (response) => response.on('error', complain).resume());
request.on('error', complain);`;

const NODE_FETCH = `
fetch(process.argv[1]).then((response) => response.text()).catch((error) => console.error(error));`;

const NODE_JSON = `
fetch(process.argv[1]).then((response) => response.json()).catch((error) => console.error(error));`;

const READ = `.then((response) => response.text()).catch((error) => console.error(error));`;
const NODE_FETCH_2 = `require('node-fetch-2')(process.argv[1])${READ}`;
const NODE_FETCH_3 = `import('node-fetch').then((module) => module.default(process.argv[1]))${READ}`;
const UNDICI_FETCH = `require('undici').fetch(process.argv[1])${READ}`;
const UNDICI = `require('undici').request(process.argv[1]).then(({ body }) => body.text())
  .catch((error) => console.error(error));`;

/** A stream in between, which is destroyed when the response closes, as proxies and downloads have it. */
const PIPELINE = `
const { get } = require('node:http');
const { PassThrough, Writable, pipeline } = require('node:stream');
const complain = (error) => error && console.error(error);
get(process.argv[1], { agent: false }, (response) => {
  const between = response.on('error', () => {}).pipe(new PassThrough());
  response.on('close', () => response.complete || between.destroy());
  pipeline(between, new Writable({ write: (part, encoding, done) => done() }), complain);
}).on('error', complain);`;

const PYTHON = `
import http.client, sys
from urllib.parse import urlsplit
url = urlsplit(sys.argv[1])
connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)
connection.request("GET", url.path)
connection.getresponse().read()`;

const node = (script: string): ComplainingClient => ({
  missing: () => null,
  ask: async (url) => (await runClient(process.execPath, ['-e', script, url])).stderr,
});

export const CLIENTS = {
  'node:http': node(NODE_HTTP),
  fetch: node(NODE_FETCH),
  'fetch and JSON': node(NODE_JSON),
  'node-fetch 2': node(NODE_FETCH_2),
  'node-fetch 3': node(NODE_FETCH_3),
  undici: node(UNDICI),
  "undici's fetch": node(UNDICI_FETCH),
  'stream.pipeline': node(PIPELINE),
  curl: {
    missing: () => whyNo('curl'),
    ask: async (url: string) => (await runClient('curl', ['-sS', '-o', '/dev/null', url])).stderr,
  },
  'http.client': {
    missing: () => whyNoPython('http.client'),
    ask: async (url: string) =>
      (await runClient(pythonWith('http.client') ?? '', ['-c', PYTHON, url])).stderr,
  },
  Chromium: { missing: whyNoChromium, ask: askChromium },
} as const satisfies Record<string, ComplainingClient>;

export type ClientName = keyof typeof CLIENTS;

let browser: Promise<Browser> | null = null;

/** Asks from a page of the same origin, as an application does. */
async function askChromium(url: string): Promise<string> {
  browser ??= launchChromium();
  const page = await (await browser).newPage();
  const complaints: string[] = [];
  page.on('requestfailed', (request) => complaints.push(request.failure()?.errorText ?? 'failed'));
  page.on('console', (message) => complaints.push(message.text()));
  try {
    await page.goto(new URL('/page', url).href);
    await page.evaluate(async (address) => {
      await fetch(address)
        .then((response) => response.text())
        .catch(() => undefined);
    }, url);
    return complaints.join('\n');
  } finally {
    await page.close();
  }
}

export async function closeChromium(): Promise<void> {
  await (await browser)?.close();
}
