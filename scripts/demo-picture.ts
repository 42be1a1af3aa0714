/** Makes the picture of the demo for the README, from the demo's real output: `npm run screenshots`. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const COMMAND = 'npm run demo';

const CHARACTER_PX = 8;
const LINE_PX = 20;
const MARGIN_PX = 20;
const BAR_PX = 32;

const COLORS = { text: '#d6deeb', prompt: '#7fdbca', whole: '#8bd649', cut: '#ff6b6b', dim: '#8a9bb0' };

/** What is colored in a line, and how: the first that matches. */
const PAINTS: readonly (readonly [RegExp, string])[] = [
  [/^\$ .*/, COLORS.prompt],
  [/(?<= {2})\.{5,}$/, COLORS.whole],
  [/(?<= {2})x{5,}$/, COLORS.cut],
  [/(?<=^through lastbyte +)20 .*/, COLORS.whole],
  [/(?<=^directly from .+? {3,})\d.*/, COLORS.cut],
  [/^ +whole .*/, COLORS.dim],
];

const jiti = join(ROOT, 'node_modules', '.bin', 'jiti');
const { status, stdout, stderr } = spawnSync(jiti, [join(ROOT, 'scripts', 'demo.ts'), '--once'], {
  encoding: 'utf8',
});
if (status !== 0) throw new Error(`The demo failed: ${stderr}`);
writeFileSync(join(ROOT, 'docs', 'images', 'demo.svg'), svgOf(`$ ${COMMAND}\n\n${stdout.trimEnd()}`));

function svgOf(output: string): string {
  const lines = output.split('\n');
  const width = Math.max(...lines.map((line) => line.length)) * CHARACTER_PX + 2 * MARGIN_PX;
  const height = BAR_PX + lines.length * LINE_PX + MARGIN_PX;
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (color, at) => `<circle cx="${MARGIN_PX + at * 18}" cy="18" r="5.5" fill="${color}"/>`,
  );
  const texts = lines.flatMap((line, at) =>
    line === ''
      ? []
      : [`<text x="${MARGIN_PX}" y="${BAR_PX + (at + 1) * LINE_PX - 6}"${fit(line)}>${painted(line)}</text>`],
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>The output of npm run demo</title>',
    `<rect width="${width}" height="${height}" rx="8" fill="#16202c"/>`,
    ...dots,
    `<g fill="${COLORS.text}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="13">`,
    ...texts,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** The same columns in every monospaced font. */
function fit(line: string): string {
  return ` textLength="${line.length * CHARACTER_PX}" lengthAdjust="spacingAndGlyphs"`;
}

function painted(line: string): string {
  for (const [pattern, color] of PAINTS) {
    const found = pattern.exec(line);
    if (found === null) continue;
    const [text] = found;
    const rest = line.slice(found.index + text.length);
    return `${escaped(line.slice(0, found.index))}<tspan fill="${color}">${escaped(text)}</tspan>${escaped(rest)}`;
  }
  return escaped(line);
}

/** Spaces would collapse. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(' ', '\u00a0');
}
