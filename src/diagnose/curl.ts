/** A command line that shows the worst of the faults to somebody who has no lastbyte. Pure. */

import { targetUrl } from '../config/target.ts';
import { eachField } from '../http/fields.ts';
import { bodyWriter, shellWord } from '../observe/terminal-text.ts';
import type { Finding } from './finding.ts';
import { methodOf, type Asking } from './request.ts';
import { sendsBody, type Plan } from './scenarios.ts';
import type { DiagnoseSettings } from './settings.ts';
import { worstLoss, type Tally } from './tally.ts';

const TRIES = 10;
/** Slow enough that answers of megabytes are still under way when the server closes. */
const SLOW_RATE = '20M';
const SHOWN = '%{http_code}, %{size_download} bytes\\n';

/** Null: there is no fault, or none that curl's request would meet. */
export function curlCommand(
  settings: DiagnoseSettings,
  findings: readonly Finding[],
  tallies: readonly Tally[],
): string | null {
  const fault = findings.find(({ severity }) => severity === 'fault');
  if (fault === undefined) return null;
  const shown = tallies.filter(
    ({ scenario }) => fault.scenarios.includes(scenario.name) && curlCan(scenario.plan),
  );
  const [worst] = [...shown].sort((a, b) => weight(b, tallies) - weight(a, tallies));
  return worst === undefined ? null : commandFor(settings, worst.scenario.plan);
}

/** curl sends its body at once, or after 100 (Continue), and does not half-close. */
function curlCan({ body, halfClose }: Plan): boolean {
  return !halfClose && (body.framing === 'none' || body.sent === 'at-once' || body.sent === 'on-continue');
}

/** Bytes lost count most; then how much of all was lost. */
function weight(one: Tally, all: readonly Tally[]): number {
  return worstLoss(one, all)?.lost ?? 0;
}

function commandFor({ asking, limits }: DiagnoseSettings, plan: Plan): string {
  const { target, path } = asking.subject;
  const words = ['curl', '-sS', '-o', '/dev/null', '-w', quote(SHOWN)];
  words.push(plan.version === '1.0' ? '--http1.0' : '--http1.1', '-X', quote(methodOf(asking, plan)));
  words.push('--max-time', String(Math.ceil(limits.tryLimitMs / 1000)));
  if (limits.insecure) words.push('-k');
  if (plan.reader !== 'fast') words.push('--limit-rate', SLOW_RATE);
  for (const field of fieldsOf(asking, plan)) words.push('-H', quote(field));
  if (sendsBody(plan)) words.push('--data-binary', '@-');
  if (target.kind === 'unix') words.push('--unix-socket', shellWord(target.path));
  const url = quote(target.kind === 'unix' ? `http://localhost${path}` : `${targetUrl(target)}${path}`);
  // With a second address curl asks it on the same connection, if it can.
  words.push(url, ...(plan.again ? ['-o', '/dev/null', url] : []));
  const command = `${sendsBody(plan) ? `${bodyMaker(asking.body)} | ` : ''}${words.join(' ')}`;
  return `for try in $(seq ${TRIES}); do ${command}; done`;
}

function fieldsOf({ fields }: Asking, plan: Plan): string[] {
  const own: string[] = [];
  eachField(fields, (name, value) => own.push(`${name}: ${value}`));
  if (plan.version === '1.1') own.push(`Connection: ${plan.connection}`);
  if (!sendsBody(plan)) return own;
  if (!own.some((field) => /^content-type:/i.test(field))) own.push('Content-Type: application/octet-stream');
  if (plan.body.framing === 'chunked') own.push('Transfer-Encoding: chunked');
  // curl adds an expectation of its own to large bodies; an empty one takes it away.
  const expects = plan.body.framing !== 'none' && plan.body.sent === 'on-continue';
  own.push(expects ? 'Expect: 100-continue' : 'Expect:');
  return own;
}

/** A command that writes the body: filler by its length, anything else by its octets. */
function bodyMaker(body: Buffer): string {
  const first = body.toString('latin1', 0, 1);
  if (/^\w$/.test(first) && body.equals(Buffer.alloc(body.length, first))) {
    return `head -c ${body.length} /dev/zero | tr '\\0' ${first}`;
  }
  return bodyWriter(body);
}

/** Fields and paths hold a byte a character. */
function quote(text: string): string {
  return shellWord(Buffer.from(text, 'latin1'));
}
