import { expect, test } from 'vitest';
import { exposition, Histogram, sample, type Metric } from '../../../src/observe/metrics.ts';

const counter = (samples: Metric['samples']): Metric => ({
  name: 'x_total',
  help: 'Xs.',
  type: 'counter',
  samples,
});

test('a metric is its help, its type and a line a series, and an empty line parts it from the next', () => {
  const one = counter(() => [sample(3, { by: 'a', to: 'b' }), sample(0.5)]);
  const two: Metric = { name: 'y', help: 'Ys.', type: 'gauge', samples: () => [sample(-1)] };
  expect(exposition([one, two])).toBe(`# HELP x_total Xs.
# TYPE x_total counter
x_total{by="a",to="b"} 3
x_total 0.5

# HELP y Ys.
# TYPE y gauge
y -1
`);
});

test('backslashes, line ends and quotes are escaped where the format says so', () => {
  const text = exposition([
    { ...counter(() => [sample(1, { path: 'C:\\"a"\nb' })]), help: 'A "quoted" \\\nhelp.' },
  ]);
  expect(text).toContain('# HELP x_total A "quoted" \\\\\\nhelp.\n');
  expect(text).toContain('x_total{path="C:\\\\\\"a\\"\\nb"} 1\n');
});

test('what is no finite number has a name', () => {
  const values = [Infinity, -Infinity, Number.NaN].map((value) => sample(value));
  expect(exposition([counter(() => values)])).toContain('x_total +Inf\nx_total -Inf\nx_total NaN\n');
});

test('a histogram counts in each bucket what is at most its limit', () => {
  const histogram = new Histogram([0.5, 1]);
  for (const value of [0.25, 0.5, 0.75, 2]) histogram.observe(value);
  const samples = (): ReturnType<Metric['samples']> => histogram.samples();
  expect(exposition([{ name: 'h', help: 'H.', type: 'histogram', samples }])).toContain(`h_bucket{le="0.5"} 2
h_bucket{le="1"} 3
h_bucket{le="+Inf"} 4
h_sum 3.5
h_count 4
`);
});
