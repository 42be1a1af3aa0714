/**
 * Sums up at the end of a run what this machine lacked, how many tests were skipped for each reason, and which passed only
 * when they were tried again.
 */

import type { Reporter, TestCase, TestModule } from 'vitest/node';

const INSTALLS = 'scripts/install-test-packages.sh';

export class EndReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const retried = modules
      .flatMap((one) => [...one.children.allTests('passed')])
      .filter((test) => test.diagnostic()?.flaky === true);
    if (retried.length > 0) process.stdout.write(`${retriedLines(retried)}\n`);
    const reasons = modules.flatMap((one) => [...one.children.allTests('skipped')].map(reasonOf));
    if (reasons.length > 0) process.stdout.write(`${summary(reasons)}\n`);
  }
}

function retriedLines(tests: readonly TestCase[]): string {
  const lines = tests.map(({ module, fullName }) => `  ${module.relativeModuleId} > ${fullName}`);
  return ['Passed at the second try:', ...lines, ''].join('\n');
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return (result.state === 'skipped' ? result.note : undefined) ?? 'No reason is given.';
}

/** The most frequent reason first. */
function summary(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const lines = [...counts]
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => `${String(count).padStart(5)}  ${reason}`);
  if (reasons.some((reason) => reason.includes('apt-get'))) {
    lines.push(`${INSTALLS} installs all of Debian's packages that tests need.`);
  }
  return ['Skipped:', ...lines, ''].join('\n');
}
