/** What the log begins with: who speaks, and where to look. */

import { paint } from './paint.ts';
import { printableJson } from './printable.ts';

export interface Banner {
  readonly version: string;
  /** Where clients reach the proxy. */
  readonly url: string;
  readonly target: string;
  /** Null: no admin listener. */
  readonly adminUrl: string | null;
}

/** In one line, for a file or a pipe. */
export function bannerSentence({ version, url, target, adminUrl }: Banner): string {
  const admin = adminUrl === null ? '' : `, admin ${adminUrl}`;
  return `lastbyte ${version}: ${url} -> ${target}${admin}`;
}

/** For a terminal: the addresses beneath each other, to be clicked. */
export function bannerBlock({ version, url, target, adminUrl }: Banner, color: boolean): string {
  const lines: [name: string, address: string][] = [
    ['proxy', url],
    ['upstream', target],
    ...(adminUrl === null ? [] : [['inspector', adminUrl] satisfies [string, string]]),
  ];
  const addresses = lines.map(
    ([name, address]) => `  ${paint(name.padEnd(9), 'dim', color)}  ${paint(address, 'cyan', color)}`,
  );
  return ['', `  ${paint('lastbyte', 'bold', color)} ${version}`, '', ...addresses, ''].join('\n');
}

export function bannerJson(banner: Banner, at: number): string {
  const { version, url, target, adminUrl } = banner;
  return printableJson(
    JSON.stringify({
      time: new Date(at).toISOString(),
      level: 'info',
      event: 'start',
      message: bannerSentence(banner),
      version,
      url,
      target,
      admin: adminUrl,
    }),
  );
}
