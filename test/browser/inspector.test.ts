// The inspector's page in a real Chromium, over real exchanges.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { harFaults } from '../harness/har-schema.ts';
import { Inspected } from '../harness/inspected.ts';
import { need } from '../harness/need.ts';
import { launchChromium, whyNoChromium } from './chromium.ts';
import { playAll, scripted } from './scene.ts';

const MISSING = whyNoChromium();
/** The number of exchanges that `playAll` makes. */
const PLAYED = 5;

let browser: Browser | null = null;
let inspected: Inspected;
let page: Page;
/** What the page complained of: a violation of its policy, an exception, a request elsewhere. */
let complaints: string[] = [];

beforeAll(async () => {
  if (MISSING === null) browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
});

beforeEach(async (context) => {
  need(context, MISSING);
  if (browser === null) throw new Error('no browser');
  inspected = await Inspected.start(scripted(1), { bodyHold: 20 });
  page = await browser.newPage();
  complaints = [];
  const { adminUrl } = inspected.proxy.proxy;
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${adminUrl}/`) && !request.url().startsWith('data:'))
      complaints.push(request.url());
  });
});
afterEach(async () => {
  if (MISSING !== null) return;
  await page.close();
  await inspected[Symbol.asyncDispose]();
  expect(complaints).toEqual([]);
});

async function openPage(hash = ''): Promise<void> {
  await page.goto(`${inspected.proxy.proxy.adminUrl}/${hash}`);
  await page.getByText('● live').waitFor();
}

const filter = () => page.getByRole('search');
const rows = () => page.locator('#rows tr');
const rowOf = (path: string) => rows().filter({ has: page.getByRole('link', { name: path, exact: true }) });

async function waitForRows(count: number): Promise<void> {
  await expect.poll(() => rows().count()).toBe(count);
}

/** Run in a world of its own, which the page's policy does not bind. */
async function axeFindings(): Promise<string[]> {
  const found: unknown = await page.evaluate(
    `(async () => { ${axe.source}; const { violations } = await globalThis.axe.run(document);
      return violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')); })()`,
  );
  return Array.isArray(found) ? found.map(String) : ['axe did not run'];
}

describe('the list', () => {
  test('shows an exchange as it comes, the newest on top', async () => {
    await openPage();
    await page.getByText('No requests yet.').waitFor();
    await inspected.exchange('GET /report');
    await waitForRows(1);
    await inspected.exchange('GET /other');
    await waitForRows(2);
    expect(await rows().first().innerText()).toMatch(/GET\s+\/other\s+200/);
    expect(await rowOf('/report').innerText()).toMatch(/complete/);
  });

  test('says what was saved and what was cut, in words', async () => {
    await playAll(inspected);
    await openPage();
    await waitForRows(PLAYED);
    expect(await rowOf('/export').innerText()).toMatch(/502[^]*truncated/);
    expect(await rowOf('/flaky/items').innerText()).toMatch(/200[^]*saved/);
    expect(await page.locator('#numbers').innerText()).toMatch(/saved\s*1\s/);
    await page.locator('#profile summary').click();
    expect(await page.locator('#profile').innerText()).toContain('npx lastbyte diagnose http://');
  });

  test('is filtered by text, path, status, verdict and problems, and keeps that in its address', async () => {
    await playAll(inspected);
    await openPage();
    await waitForRows(PLAYED);
    await page.getByLabel('Text').fill('export');
    await waitForRows(1);
    await page.reload();
    await waitForRows(1);
    expect(await page.getByLabel('Text').inputValue()).toBe('export');
    await page.getByLabel('Text').fill('');
    await filter().getByLabel('Path').fill('/re*');
    await waitForRows(2);
    await filter().getByLabel('Path').fill('');
    await page.getByLabel('Status').selectOption('5xx');
    await waitForRows(1);
    await page.getByLabel('Status').selectOption('');
    await page.getByLabel('Verdict').selectOption('truncated');
    await waitForRows(1);
    await page.getByLabel('Verdict').selectOption('');
    await page.getByLabel('only problems').check();
    await waitForRows(2);
  });

  test('stands still while it is paused, and says how many came', async () => {
    await inspected.exchange('GET /report');
    await openPage();
    await waitForRows(1);
    await page.keyboard.press('p');
    await inspected.exchange('GET /other');
    await page.getByText('paused: 1 more since').waitFor();
    expect(await rows().count()).toBe(1);
    await page.keyboard.press('p');
    await waitForRows(2);
  });

  test('is empty at first, and tells how to send a request', async () => {
    await openPage();
    const { url } = inspected.proxy;
    await page.getByText(`curl -i ${url}/`).waitFor();
    expect(await page.locator('#empty').innerText()).toContain(`instead of ${inspected.upstream.url}`);
    await inspected.exchange('GET /report');
    await waitForRows(1);
    await page.getByLabel('Text').fill('nothing like it');
    await page.getByText('No exchange matches the filter.').waitFor();
    await page.getByRole('button', { name: 'Clear the filter' }).click();
    await waitForRows(1);
  });

  test('counts exchanges and attempts apart', async () => {
    await playAll(inspected);
    await openPage();
    await waitForRows(PLAYED);
    const [exchanges, attempts] = await page.locator('#numbers section').allInnerTexts();
    expect(exchanges).toMatch(/exchanges\s*5\s[^]*saved\s*1\s[^]*refused\s*1\s*cut\s*0\s/);
    // One of them was saved by another attempt.
    expect(attempts).toMatch(/responses\s*6\s[^]*cut short\s*2\s/);
  });

  test('says which proof is missing of a response that is delivered with a note', async () => {
    await inspected.exchange('GET /until-the-end');
    await openPage();
    const verdict = rowOf('/until-the-end').locator('.c-verdict');
    expect(await verdict.innerText()).toMatch(/unverifiable, no length/);
    expect(await verdict.getAttribute('title')).toMatch(/without a Content-Length/);
  });

  test('shows its keys', async () => {
    await openPage();
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keys' });
    await help.getByText('pause or resume the list').waitFor();
    expect(await axeFindings()).toEqual([]);
    await page.keyboard.press('Escape');
    await help.waitFor({ state: 'hidden' });
  });

  test('is walked, opened and closed by the keyboard', async () => {
    await playAll(inspected);
    await openPage();
    await waitForRows(PLAYED);
    await page.keyboard.press('/');
    expect(await page.evaluate("document.activeElement.getAttribute('name')")).toBe('text');
    await page.keyboard.press('Escape');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'POST /report' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('#detail').isHidden()).toBe(true);
    expect(await page.evaluate('document.activeElement.textContent')).toBe('/report');
  });
});

describe('an exchange', () => {
  test('that was cut shows its timeline, the sentence, the cure and the part that came', async () => {
    const { truncated } = await playAll(inspected);
    await openPage(`#open=${truncated}`);
    const detail = page.locator('#detail');
    await detail.locator('.timeline').waitFor();
    const text = await detail.innerText();
    expect(text).toContain('reset the connection after 30,000 of 51,200 bytes');
    expect(text).toContain('What helps:');
    expect(text).toMatch(/RST[^]*30,000 of 51,200 bytes/);
    await detail.getByText('All timings').click();
    expect(await detail.locator('table.moments').innerText()).toMatch(/body[^]*first byte/i);
    expect(await detail.getByText('"name": "row 39"').count()).toBeGreaterThan(0);
  });

  test('shows no secret', async () => {
    const { posted } = await playAll(inspected);
    await openPage(`#open=${posted}`);
    await page.locator('.timeline').waitFor();
    const everything = (await page.locator('body').textContent()) ?? '';
    expect(everything).toContain('[redacted]');
    expect(everything).not.toMatch(/hunter2|s3cr3t/);
  });

  test('is sent again; one that may change something only when that is confirmed', async () => {
    const { posted } = await playAll(inspected);
    await openPage(`#open=${posted}`);
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('may change something').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    expect(await rows().count()).toBe(PLAYED);
    await page.getByRole('button', { name: 'Replay', exact: true }).click();
    await dialog.getByRole('button', { name: 'Send again' }).click();
    await waitForRows(PLAYED + 1);
    expect(await rows().first().innerText()).toMatch(/POST\s+\/report[^]*replay/);
    expect(inspected.upstream.requests.filter(({ target }) => target === '/report')).toHaveLength(2);
  });

  test('is edited and sent again; its secrets stay where they were', async () => {
    const { posted } = await playAll(inspected);
    await openPage(`#open=${posted}`);
    await page.getByRole('button', { name: 'Edit and replay' }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit and replay' });
    expect(await dialog.getByLabel('Body').inputValue()).toBe('{"password":"[redacted]","name":"Ada"}');
    expect(await axeFindings()).toEqual([]);
    await dialog.getByLabel('Body').fill('{"password":"[redacted]","name":"Eve"}');
    await dialog.getByRole('button', { name: 'Send' }).click();
    await dialog.getByText('The body holds [redacted]').waitFor();
    // What Chromium says of that refusal.
    expect(complaints.splice(0)).toEqual([expect.stringContaining('409')]);
    await dialog.getByLabel('Body').fill('{"password":"[redacted]","name":"Ada"}');
    await dialog.getByLabel('Path').fill('/report/edited');
    const fields = await dialog.getByLabel('Header fields').inputValue();
    await dialog.getByLabel('Header fields').fill(`${fields}\nX-Edited: yes`);
    await dialog.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('heading', { name: 'POST /report/edited' }).waitFor();
    await waitForRows(PLAYED + 1);
    const sent = inspected.upstream.connections.map(({ received }) => received.toString()).join('');
    expect(sent).toMatch(/POST \/report\/edited [^]*X-Edited: yes[^]*\{"password":"hunter2","name":"Ada"\}/);
  });

  test('is compared with another, head and body', async () => {
    const { posted, truncated } = await playAll(inspected);
    await openPage(`#open=${posted}`);
    const choice = page.getByLabel('Compare with');
    await choice.selectOption(truncated);
    const comparison = page.getByRole('region', { name: 'Comparison' });
    await comparison.getByText('Compared with #5').waitFor();
    const linesOf = async (name: string): Promise<string[]> =>
      (await comparison.locator(name).allInnerTexts()).map((line) => line.trim());
    expect(await linesOf('del')).toEqual(
      expect.arrayContaining(['− POST /export HTTP/1.1', '−   "year": 2026', '− HTTP/1.1 502 Bad Gateway']),
    );
    expect(await linesOf('ins')).toEqual(
      expect.arrayContaining(['+ POST /report HTTP/1.1', '+   "name": "Ada"', '+ HTTP/1.1 200 OK']),
    );
    expect(await axeFindings()).toEqual([]);
    await page.reload();
    await comparison.waitFor();
    await choice.selectOption('');
    await comparison.waitFor({ state: 'detached' });
  });

  test('shows JSON laid out and as it came, pictures as pictures, and each body as a file', async () => {
    const { posted } = await playAll(inspected);
    const picture = await inspected.exchange('GET /picture');
    await openPage(`#open=${posted}`);
    const body = page.getByRole('region', { name: 'Request: body' });
    expect(await body.innerText()).toBe('{\n  "password": "[redacted]",\n  "name": "Ada"\n}');
    await page.getByRole('button', { name: 'Raw' }).first().click();
    expect(await body.innerText()).toBe('{"password":"[redacted]","name":"Ada"}');
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download', exact: true }).first().click();
    const file = await downloading;
    expect(file.suggestedFilename()).toBe('request-body-4');
    expect(await readFile(await file.path(), 'utf8')).toBe('{"password":"[redacted]","name":"Ada"}');
    await page.getByText('curl', { exact: true }).click();
    await page.getByText('--data-binary @request-body-4').waitFor();
    await page.goto(`${inspected.proxy.proxy.adminUrl}/#open=${picture}`);
    const image = page.getByAltText('The body, as image/png');
    await expect.poll(() => image.evaluate((element) => Reflect.get(element, 'naturalWidth'))).toBe(1);
  });

  test('lays JSON out without changing a number, an escape or a name', async () => {
    await openPage();
    const json = String.raw`{"n":12345678901234567890,"n":1e400,"s":"\"{,}\u00e9","e":[ ],"o":{},"l":[1,{"a":null}]}`;
    const laidOut = await page.evaluate(
      `import('/page/json.js').then(({ prettyJson }) => prettyJson(${JSON.stringify(json)}))`,
    );
    expect(String(laidOut).split('\n')).toEqual([
      '{',
      '  "n": 12345678901234567890,',
      '  "n": 1e400,',
      String.raw`  "s": "\"{,}\u00e9",`,
      '  "e": [],',
      '  "o": {},',
      '  "l": [',
      '    1,',
      '    {',
      '      "a": null',
      '    }',
      '  ]',
      '}',
    ]);
  });

  test('has a legend for what is in its timeline', async () => {
    const { truncated } = await playAll(inspected);
    await openPage(`#open=${truncated}`);
    const legend = await page.locator('.legend').innerText();
    expect(legend).toMatch(/request body withheld[^]*waiting for the first byte[^]*failed/);
    expect(legend).not.toContain('waiting for the upstream to accept');
    const title = await page.locator('.piece.withheld').first().getAttribute('title');
    expect(title).toMatch(/^request body withheld: .* ms to .* ms$/);
  });

  test('and the whole list are saved as HAR', async () => {
    const { whole } = await playAll(inspected);
    await openPage(`#open=${whole}`);
    await waitForRows(PLAYED);
    for (const [name, entries] of [
      ['HAR', 1],
      ['HAR of these', PLAYED],
    ] as const) {
      const downloading = page.waitForEvent('download');
      await page.getByRole('link', { name, exact: true }).click();
      const har: unknown = JSON.parse(await readFile(await (await downloading).path(), 'utf8'));
      expect(harFaults(har)).toEqual([]);
      expect(har).toMatchObject({ log: { entries: { length: entries } } });
    }
  });
});

test('a HAR is opened by a reader that plays it back, without the proxy', async () => {
  await inspected.exchange('GET /report');
  await openPage();
  await waitForRows(1);
  const downloading = page.waitForEvent('download');
  await page.getByRole('link', { name: 'HAR of these' }).click();
  const folder = await mkdtemp(join(tmpdir(), 'lastbyte-test-'));
  const file = join(folder, 'exchanges.har');
  await (await downloading).saveAs(file);
  const { port } = inspected.proxy;
  const before = inspected.proxy.records.length;
  const reader = await page.context().browser()?.newPage();
  if (reader === undefined) throw new Error('no browser');
  await reader.routeFromHAR(file, { notFound: 'abort' });
  const answer = await reader.goto(`http://localhost:${port}/report`);
  expect([answer?.status(), await answer?.text()]).toEqual([200, expect.stringContaining('"name":"row 39"')]);
  expect(inspected.proxy.records).toHaveLength(before);
  await reader.close();
  await rm(folder, { recursive: true });
});

describe('everybody', () => {
  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 400],
    ['dark', 400],
  ] as const)('can use it: axe finds nothing, %s, %i px', async (colorScheme, width) => {
    const { truncated } = await playAll(inspected);
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    for (const hash of ['', `#open=${truncated}`]) {
      await openPage(hash);
      if (hash === '') await waitForRows(PLAYED);
      else await page.locator('.timeline').waitFor();
      const wide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
      expect(wide, 'scrolls sideways').toBe(false);
      expect(await axeFindings()).toEqual([]);
    }
    const colour = String(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
    const red = Number(/\d+/.exec(colour)?.[0]);
    expect(red > 127).toBe(colorScheme === 'light');
  });
});

test('on a narrow screen the header leaves room, and filters unfold', async () => {
  await playAll(inspected);
  await page.setViewportSize({ width: 400, height: 800 });
  await openPage();
  await waitForRows(PLAYED);
  const top = await page.locator('#rows').boundingBox();
  expect(top?.y).toBeLessThan(350);
  expect(await filter().getByLabel('Path').isHidden()).toBe(true);
  await page.getByRole('button', { name: 'Filters' }).click();
  await filter().getByLabel('Path').fill('/export');
  await waitForRows(1);
});

test('thousands of exchanges leave it usable: it keeps no more than the ring', async () => {
  await openPage();
  const REQUESTS = 3_000;
  const ask = async (): Promise<void> => {
    for (let sent = 0; sent < REQUESTS / 10; sent += 1) {
      const answer = await fetch(`${inspected.proxy.url}/quick/${sent}`);
      await answer.text();
    }
  };
  await Promise.all(Array.from({ length: 10 }, ask));
  await expect
    .poll(() => page.locator('#numbers').innerText(), { timeout: 20_000 })
    .toMatch(/exchanges\s*3,000\s/);
  expect(await rows().count()).toBeLessThanOrEqual(1_000);
  await inspected.exchange('GET /last-of-all');
  await rowOf('/last-of-all').waitFor();
  await page.getByLabel('Text').fill('last-of-all');
  await waitForRows(1);
});
