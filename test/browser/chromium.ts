/** Debian's Chromium, driven by playwright-core: one process for a test file, an empty profile. */

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';

/** Why no browser can be started, as a sentence; null when it can. */
export function whyNoChromium(): string | null {
  return existsSync(EXECUTABLE) ? null : 'Chromium is not installed (Debian: apt-get install chromium).';
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
  return chromium.launch({ executablePath: EXECUTABLE, args: FLAGS, headless: true });
}
