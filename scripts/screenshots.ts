/** Makes the pictures of the inspector for docs/ and the README: `npm run screenshots`, or with a folder for all schemes. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launchChromium } from '../test/browser/chromium.ts';
import { playAll, playWait, scripted } from '../test/browser/scene.ts';
import { Inspected } from '../test/harness/inspected.ts';

interface Picture {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly dark: boolean;
  readonly open: 'truncated' | 'retried' | 'withheld' | 'waited' | 'whole' | null;
  readonly against?: 'whole';
}

const FOR_DOCUMENTS: readonly Picture[] = [
  { name: 'inspector', width: 1280, height: 720, dark: false, open: 'truncated' },
  { name: 'inspector-list', width: 1280, height: 480, dark: false, open: null },
  { name: 'inspector-retried', width: 1280, height: 720, dark: true, open: 'retried' },
  { name: 'inspector-compared', width: 1280, height: 720, dark: false, open: 'truncated', against: 'whole' },
  { name: 'inspector-waited-narrow', width: 400, height: 720, dark: true, open: 'waited' },
];

const ALL: readonly Picture[] = [1280, 400].flatMap((width) =>
  [true, false].flatMap((dark) =>
    ([null, 'truncated', 'retried', 'withheld', 'waited', 'whole'] as const).map((open) => ({
      name: `${width}-${dark ? 'dark' : 'light'}-${open ?? 'list'}`,
      width,
      height: 800,
      dark,
      open,
    })),
  ),
);

const [folder] = process.argv.slice(2);
const target = folder ?? join(import.meta.dirname, '..', 'docs', 'images');
mkdirSync(target, { recursive: true });

const options = { waitForUpstream: 10_000, bodyHold: 60, retryBackoff: 40 };
await using inspected = await Inspected.start(scripted(25), options);
const ids = { ...(await playAll(inspected)), waited: await playWait(inspected, 300) };
const browser = await launchChromium();
try {
  for (const { name, width, height, dark, open, against } of folder === undefined ? FOR_DOCUMENTS : ALL) {
    const page = await browser.newPage({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
    });
    const compared = against === undefined ? '' : `&against=${ids[against]}`;
    const hash = open === null ? '' : `#open=${ids[open]}${compared}`;
    await page.goto(`${inspected.proxy.proxy.adminUrl}/${hash}`);
    await page.locator('#rows tr').nth(5).waitFor({ state: 'attached' });
    if (open !== null) await page.locator('.timeline').waitFor();
    await page.locator('body').click({ position: { x: 1, y: 1 } });
    await page.screenshot({ path: join(target, `${name}.png`) });
    await page.close();
  }
} finally {
  await browser.close();
}
