import { describe, expect, test } from 'vitest';
import { report, type Measured } from '../../../src/diagnose/report.ts';
import { reportText } from '../../../src/diagnose/report-text.ts';
import { resolveSettings, type DiagnoseSettings } from '../../../src/diagnose/settings.ts';
import { CUT, RESET_BEHIND, tallies, WHOLE } from './fixtures.ts';

function settings(given: Readonly<Record<string, unknown>> = {}): DiagnoseSettings {
  const result = resolveSettings({
    url: { raw: 'http://127.0.0.1:8000/report', origin: { kind: 'argument', name: 'url' } },
    values: given,
    body: null,
    originOf: (name) => ({ kind: 'property', name }),
  });
  if (result.kind === 'faults') throw new Error(JSON.stringify(result.faults));
  return result.settings;
}

const CUTTING = tallies({
  'get-slow': [WHOLE, WHOLE],
  'length-slow': [WHOLE, WHOLE],
  'chunked-slow': [CUT, RESET_BEHIND],
});
const CLEAN = tallies({
  'get-slow': [WHOLE, WHOLE],
  'length-slow': [WHOLE, WHOLE],
  'chunked-slow': [WHOLE, WHOLE],
});
const measured = (given: Partial<Measured> = {}): Measured => ({
  direct: CUTTING,
  through: [],
  notRun: [],
  elapsedMs: 1234.5,
  unreachable: null,
  ...given,
});
const PAGE = { columns: 100, color: false };

describe('the report', () => {
  test('has exactly these fields, which others read', () => {
    const made = report(settings({ through: '8080' }), measured({ through: CLEAN }));
    expect(Object.keys(made)).toEqual([
      'schema',
      'url',
      'method',
      'bodyBytes',
      'unsafeRequests',
      'tries',
      'verdict',
      'summary',
      'findings',
      'scenarios',
      'notRun',
      'through',
      'curl',
      'elapsedMs',
    ]);
    expect(Object.keys(made.scenarios[0] ?? {})).toEqual([
      'name',
      'title',
      'purpose',
      'method',
      'direct',
      'through',
    ]);
    expect(Object.keys(made.scenarios[0]?.direct ?? {})).toEqual([
      'tries',
      'whole',
      'outcomes',
      'statuses',
      'interim',
      'versions',
      'framings',
      'expectedBytes',
      'receivedBytes',
      'worstLostBytes',
      'closedBy',
      'bodyRead',
      'keepAlive',
      'firstByteMs',
      'endedMs',
      'headStartMs',
    ]);
    expect(Object.keys(made.findings[0] ?? {}).sort()).toEqual(
      [
        'affected',
        'cause',
        'code',
        'cure',
        'options',
        'scenarios',
        'severity',
        'tries',
        'upstreamFix',
        'what',
        'worst',
      ].sort(),
    );
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });

  test.each([
    ['fault', {}],
    ['no-fault', { direct: CLEAN }],
    ['inconclusive', { direct: CLEAN, notRun: ['chunked-kept'] }],
    ['fault', { notRun: ['chunked-kept'] }],
    ['unreachable', { direct: [], unreachable: 'http://127.0.0.1:8000 refuses connections.' }],
  ] as const)('has the verdict %s for %j', (verdict, given) => {
    expect(report(settings(), measured(given)).verdict).toBe(verdict);
  });

  test('tells the difference that lastbyte makes', () => {
    const { through } = report(settings({ through: '8080' }), measured({ through: CLEAN }));
    expect(through).toEqual({
      url: 'http://localhost:8080',
      findings: [],
      summary: expect.stringMatching(/5 of 6 directly, 6 of 6 through http:\/\/localhost:8080/),
    });
  });

  test('does not count a refusal in words for the response', () => {
    const through = tallies({ 'get-slow': [WHOLE], 'chunked-slow': [{ status: 502 }, WHOLE] });
    expect(report(settings({ through: '8080' }), measured({ through })).through?.summary).toMatch(
      /5 of 6 directly, 2 of 3 through http:\/\/localhost:8080\. .*\b1 .*5xx/,
    );
  });

  test('counts the unsafe requests that were sent', () => {
    expect(report(settings({ method: 'post' }), measured()).unsafeRequests).toBe(4);
    expect(report(settings(), measured()).unsafeRequests).toBe(0);
  });
});

describe('the curl command', () => {
  test('is the request that lost most', () => {
    expect(report(settings({ method: 'POST', bodySize: 100 }), measured()).curl).toBe(
      "for try in $(seq 10); do head -c 100 /dev/zero | tr '\\0' u | curl -sS -o /dev/null " +
        "-w '%{http_code}, %{size_download} bytes\\n' --http1.1 -X POST --max-time 10 --limit-rate 20M " +
        "-H 'Connection: close' -H 'Content-Type: application/octet-stream' -H 'Transfer-Encoding: chunked' " +
        '-H Expect: --data-binary @- http://127.0.0.1:8000/report; done',
    );
  });

  test.each([
    ['nothing is wrong', CLEAN],
    [
      'only a withheld body was cut, which curl cannot send',
      tallies({ 'get-slow': [WHOLE], 'length-half': [CUT] }),
    ],
  ])('is none where %s', (_why, direct) => {
    expect(report(settings(), measured({ direct })).curl).toBeNull();
  });
});

describe('the report for a person', () => {
  test('has the table, the verdict, the cause and the cure', () => {
    const text = reportText(report(settings(), measured()), PAGE);
    const lines = text.split('\n');
    expect(lines.slice(0, 2).join(' ')).toMatch(
      /^http:\/\/127\.0\.0\.1:8000\/report: 10 tries .* 1\.2 s\. .* 1,048,576 bytes.* GET\.$/,
    );
    expect(lines.slice(2, 10)).toEqual([
      '',
      '                                              whole   lost at worst  how it ended',
      'GET, no body, close, slow reader              2 of 2                 FIN',
      'GET, Content-Length body, close, slow reader  2 of 2                 FIN',
      'GET, chunked body, close, slow reader         1 of 2  3.0 MB         RST after it (1), RST (1)',
      '',
      'Fault found.',
      '',
    ]);
    expect(lines.slice(10, 12).join(' ')).toMatch(
      /^FAULT .*unread chunked request body: 1 of 2 .*3\.0 MB of 5\.0 MB lost at worst\.$/,
    );
    expect(text).toMatch(/\n {2}Cure: .*Content-Length\.\n/);
  });

  test('keeps to the width of the terminal, and colours only where it may', () => {
    const made = report(settings({ through: '8080' }), measured({ through: CLEAN }));
    const [heading = '', , ...rest] = reportText(made, { columns: 60, color: false }).split('\n\n');
    for (const line of [heading, ...rest].join('\n').split('\n')) expect(line.length).toBeLessThanOrEqual(60);
    expect(reportText(made, PAGE)).not.toContain('\u001b');
    expect(reportText(made, { columns: 100, color: true })).toContain('\u001b[31mFAULT\u001b[0m');
  });

  test('obeys nothing that stands in the address or came from the server', () => {
    const made = report(settings(), measured());
    const hostile = {
      ...made,
      url: 'http://x/\u001b[2J',
      findings: made.findings.map((one) => ({ ...one, what: 'a\u001b[2Jb' })),
    };
    expect(reportText(hostile, PAGE)).not.toContain('\u001b');
  });
});
