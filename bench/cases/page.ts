/** A page of 300 modules from Vite in a real browser: directly, through lastbyte, and through Vite's own proxy. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../../test/browser/chromium.ts';
import { freePort } from '../../test/harness/ports.ts';
import type { Command } from '../../test/harness/process.ts';
import type { Arguments } from '../arguments.ts';
import { median } from '../load.ts';
import { LASTBYTE, startMeasured } from '../peers.ts';
import { Scene } from '../scene.ts';
import { figure, table } from '../tables.ts';

const MODULES = 300;
const VITE = fileURLToPath(new URL('../../node_modules/vite/bin/vite.js', import.meta.url));

export async function page({ rounds }: Arguments): Promise<string> {
  await using scene = await Scene.open();
  const [sitePort, ownPort, proxyPort] = [await freePort(), await freePort(), await freePort()];
  const folder = scene.subfolder('site');
  await using site = startMeasured(folder, vite(siteIn(folder), sitePort));
  await site.listening(sitePort);
  await scene.startBefore(sitePort, ownPort, LASTBYTE, 'lastbyte');
  const inFront = scene.subfolder('vite-proxy');
  const proxied = { host: '127.0.0.1', proxy: { '/': `http://127.0.0.1:${sitePort}` } };
  await using proxy = startMeasured(inFront, vite(configured(inFront, proxied), proxyPort));
  await proxy.listening(proxyPort);
  const ways = new Map([
    ['direct', sitePort],
    ['through lastbyte', ownPort],
    ["through Vite's own proxy", proxyPort],
  ]);
  const browser = await launchChromium();
  try {
    // Vite transforms each module when it is asked for first: no proxy's cost.
    await visit(browser, sitePort);
    const times = new Map<string, number[]>(Array.from(ways.keys(), (way) => [way, []]));
    for (let round = 0; round <= rounds; round += 1) {
      for (const [way, port] of ways) times.get(way)?.push(await visit(browser, port));
    }
    const rows = Array.from(times, ([way, [first = Number.NaN, ...next]]) => [
      way,
      figure(first),
      figure(median(next)),
    ]);
    const how = `A page of ${MODULES} modules from Vite's dev server in Chromium, with an empty cache: until its load event.`;
    return [how, table(['', 'first visit, ms', `median of the next ${rounds}`], rows)].join('\n\n');
  } finally {
    await browser.close();
  }
}

function siteIn(folder: string): string {
  const names = Array.from({ length: MODULES }, (_, at) => `m${at}`);
  mkdirSync(join(folder, 'src'));
  for (const [at, name] of names.entries()) {
    const text = `// ${'What a module of a few KB says. '.repeat(50 + (at % 100))}\nexport const ${name} = 1;\n`;
    writeFileSync(join(folder, 'src', `${name}.js`), text);
  }
  const imports = names.map((name) => `import { ${name} } from './${name}.js';\n`).join('');
  writeFileSync(join(folder, 'src', 'main.js'), `${imports}document.title = String(${names.join(' + ')});\n`);
  writeFileSync(
    join(folder, 'index.html'),
    '<!doctype html><title></title><script type="module" src="/src/main.js"></script>',
  );
  return configured(folder, { host: '127.0.0.1', hmr: false });
}

function configured(folder: string, server: object): string {
  writeFileSync(join(folder, 'vite.config.js'), `export default ${JSON.stringify({ server })};\n`);
  return folder;
}

function vite(folder: string, port: number): Command {
  return { file: process.execPath, args: [VITE, '--port', String(port), '--strictPort'], cwd: folder };
}

/** How long the page took, in ms. @throws when not all of it came */
async function visit(browser: Browser, port: number): Promise<number> {
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    await tab.goto(`http://127.0.0.1:${port}/`);
    const title = await tab.title();
    if (title !== String(MODULES)) throw new Error(`The page on port ${port} is not whole: ${title}`);
    // Of the page's own clock, which is no type of Node's.
    return await tab.evaluate<number>('performance.getEntriesByType("navigation")[0].duration');
  } finally {
    await context.close();
  }
}
