/** Debian's Chromium, driven by playwright-core: one process for a test file, an empty profile. */

import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { found } from '../harness/found.ts';

const [EXECUTABLE] = found('chromium');

/** Why no browser can be started, as a sentence; null when it can. */
export function whyNoChromium(): string | null {
  return EXECUTABLE === undefined ? 'There is no Chromium (Debian: apt-get install chromium).' : null;
}

/** Asks nobody outside for anything. As root, Chromium has no sandbox. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE ?? 'chromium', args: FLAGS, headless: true });
}
