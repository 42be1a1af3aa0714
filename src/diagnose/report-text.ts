/** The report as text for a terminal: a table, then the verdict in words. Pure. */

import type { Finding } from './findings.ts';
import { roundedBytes, grouped } from '../config/units.ts';
import type { Column, Outcome } from './tally.ts';
import type { DiagnosisReport, ScenarioReport } from './report.ts';
import { paint, printable, type Paint } from '../observe/terminal-text.ts';

export interface Page {
  readonly columns: number;
  readonly color: boolean;
}

const ENDS: Readonly<Record<Exclude<Outcome, 'whole'>, string>> = {
  'reset-behind': 'RST after it',
  surplus: 'more than announced',
  unproven: 'unverifiable (until close)',
  'cut-reset': 'RST',
  'cut-closed': 'FIN too early',
  stalled: 'stalled',
  reset: 'RST, no response',
  closed: 'FIN, no response',
  silent: 'silence',
  'not-http': 'not HTTP/1.1',
  endless: 'endless',
  unreachable: 'no connection',
  'given-up': 'given up',
};

const VERDICTS: Readonly<Record<DiagnosisReport['verdict'], readonly [word: string, color: Paint]>> = {
  fault: ['Fault found.', 'red'],
  'no-fault': ['No fault found.', 'green'],
  inconclusive: ['No verdict.', 'yellow'],
  unreachable: ['Not reachable.', 'red'],
};

const FAULT: readonly [string, Paint] = ['FAULT', 'red'];
const NOTE: readonly [string, Paint] = ['NOTE', 'yellow'];

export function reportText(report: DiagnosisReport, page: Page): string {
  const parts = report.verdict === 'unreachable' ? [] : [heading(report, page), table(report, page)];
  return `${[...parts, verdict(report, page)].join('\n\n')}\n`;
}

function heading(
  { url, method, bodyBytes, unsafeRequests, tries, elapsedMs }: DiagnosisReport,
  page: Page,
): string {
  const sent = `Request bodies of ${grouped(bodyBytes)} bytes, sent with ${method}.`;
  const unsafe =
    unsafeRequests > 0
      ? ` ${method} is not a safe method: the server handled it ${grouped(unsafeRequests)} times.`
      : '';
  const took = `${grouped(tries)} ${tries === 1 ? 'try' : 'tries'} of each scenario in ${(elapsedMs / 1000).toFixed(1)} s.`;
  return wrap(`${printable(url)}: ${took} ${sent}${unsafe}`, page.columns, '');
}

function table({ scenarios, notRun, through }: DiagnosisReport, page: Page): string {
  const head = [
    '',
    'whole',
    'lost at worst',
    'how it ended',
    ...(through === null ? [] : [`through ${through.url}`]),
  ];
  const rows = scenarios.map((one) => rowOf(one, through !== null));
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  const lines = scenarios.map((one, at) =>
    paint(line(rows[at] ?? []), 'red', page.color && isBad(one.direct)),
  );
  const missing = notRun.length === 0 ? [] : [wrap(`Not run: ${notRun.join(', ')}.`, page.columns, '')];
  return [paint(line(head), 'dim', page.color), ...lines, ...missing].join('\n');
}

function rowOf({ method, title, direct, through }: ScenarioReport, compared: boolean): string[] {
  const lost = direct.worstLostBytes === null ? '' : roundedBytes(direct.worstLostBytes);
  const beside = through === null ? '' : `${wholeText(through)}, ${endsText(through)}`;
  return [`${method}, ${title}`, wholeText(direct), lost, endsText(direct), ...(compared ? [beside] : [])];
}

function isBad({ whole, tries, outcomes }: Column): boolean {
  return whole < tries || (outcomes['reset-behind'] ?? 0) > 0 || (outcomes.surplus ?? 0) > 0;
}

function wholeText({ whole, tries }: Column): string {
  return `${whole} of ${tries}`;
}

function endsText(column: Column): string {
  const { outcomes, statuses } = column;
  const errors = statuses.filter((status) => status >= 400);
  const ends = Object.entries(outcomes).map(([outcome, times]) => {
    const words = isFailure(outcome) ? ENDS[outcome] : wholeEnd(column);
    return Object.keys(outcomes).length > 1 ? `${words} (${times})` : words;
  });
  return [...ends, ...(errors.length === 0 ? [] : [`status ${errors.join(', ')}`])].join(', ');
}

function isFailure(outcome: string): outcome is keyof typeof ENDS {
  return Object.hasOwn(ENDS, outcome);
}

function wholeEnd({ keepAlive, closedBy }: Column): string {
  if (keepAlive.includes('closed-early')) return 'closed early';
  if (keepAlive.includes('unanswered')) return 'second request unanswered';
  if (keepAlive.includes('honoured')) return 'kept alive';
  return closedBy.includes('fin') ? 'FIN' : 'left open';
}

function verdict({ verdict: kind, summary, findings, through }: DiagnosisReport, page: Page): string {
  const [word, color] = VERDICTS[kind];
  const found = findings.map((finding) => findingText(finding, page));
  const words = kind === 'fault' ? [] : [wrap(sentence(summary), page.columns, '')];
  const difference = through === null ? [] : [wrap(throughText(through), page.columns, '')];
  return [[paint(word, color, page.color), ...words].join('\n'), ...found, ...difference].join('\n\n');
}

/** The summary without the verdict at its start, which is printed in colour. */
function sentence(summary: string): string {
  const rest = summary.replace(/^No (fault found|verdict): /, '');
  if (rest === summary) return summary;
  return `${rest.charAt(0).toUpperCase()}${rest.slice(1)}`;
}

function throughText({ summary, findings }: NonNullable<DiagnosisReport['through']>): string {
  const faults = findings.filter(({ severity }) => severity === 'fault');
  const rest = faults.map(({ what }) => ` Remaining through it: ${what}`);
  return `${summary}${rest.join('')}`;
}

function findingText({ severity, what, cause, cure, upstreamFix, options }: Finding, page: Page): string {
  const lines: readonly (readonly [string, string | null])[] = [
    ['Why', cause],
    ['Cure', cure],
    [severity === 'fault' ? 'Fix in the server' : 'Next step', upstreamFix],
    ['Options', options.length === 0 ? null : options.join(', ')],
  ];
  const told = lines.flatMap(([label, text]) =>
    text === null ? [] : [wrap(`${label}: ${text}`, page.columns, '  ')],
  );
  const [mark, color] = severity === 'fault' ? FAULT : NOTE;
  const first = wrap(`${mark} ${printable(what)}`, page.columns, '').replace(
    mark,
    paint(mark, color, page.color),
  );
  return [first, ...told].join('\n');
}

/** Breaks lines at spaces; a word longer than a line stays whole. The lines after an indented one are indented further. */
function wrap(text: string, columns: number, indent: string): string {
  const deeper = indent === '' ? '' : `${indent}  `;
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(' ')) {
    const isEmpty = line.trim() === '';
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = `${deeper}${word}`;
    } else {
      line = isEmpty ? `${line}${word}` : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}
