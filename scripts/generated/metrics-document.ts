/** docs/metrics.md: every metric, its labels and their values. */

import { BUILD, COUNTERS, HISTOGRAMS, READINGS } from '../../src/observe/metrics-table.ts';

const HEADER = `# Metrics

<!-- Written by scripts/generate.ts from the table of metrics (src/observe/metrics-table.ts): change it there. -->

\`GET /metrics\` on the admin port, in Prometheus' text format. Labels take their values from closed sets, so no request can
make a series of its own; every series is there from the start, at 0. Each proxy of a process counts for itself.

A scrape configuration, alert rules and a dashboard for Grafana are in [examples/prometheus](../examples/prometheus) and
[examples/grafana](../examples/grafana).
`;

interface Line {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, readonly string[]>>;
  readonly help: string;
}

export function metricsDocument(): string {
  const counters = Object.values(COUNTERS).map((row): Line => ({ ...row, type: 'counter' }));
  const histograms = Object.values(HISTOGRAMS).map((row): Line => ({
    ...row,
    type: 'histogram',
    labels: {},
  }));
  const readings = Object.values(READINGS).map((row): Line => ({
    ...row,
    type: row.rises ? 'counter' : 'gauge',
    labels: {},
  }));
  const build: Line = { ...BUILD, type: 'gauge', labels: { version: [] } };
  return [
    HEADER,
    section('What becomes of exchanges', counters),
    section('How long it takes', histograms),
    section('What there is now', [...readings, build]),
    `Buckets, in seconds: ${HISTOGRAMS.duration.buckets.join(', ')}.\n`,
  ].join('\n');
}

function section(title: string, lines: readonly Line[]): string {
  const rows = lines.map(
    ({ name, type, labels, help }) => `| \`${name}\`<br>${type} | ${shown(labels)} | ${help} |`,
  );
  return `## ${title}\n\n| metric | labels | |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function shown(labels: Line['labels']): string {
  return Object.entries(labels)
    .map(([name, values]) => `\`${name}\`${values.length === 0 ? '' : `: ${values.join(', ')}`}`)
    .join('<br>');
}
