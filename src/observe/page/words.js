/** Numbers and states in words for people. */

/** @import { Row } from '../inspector/types.ts' */

const BYTES = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** @param {number} bytes */
export function sizeWords(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${BYTES.format(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${BYTES.format(bytes / 1e6)} MB` : `${BYTES.format(bytes / 1e9)} GB`;
}

/** Every byte counts where a response was cut. @param {number} count */
export function exactBytes(count) {
  return new Intl.NumberFormat('en').format(count);
}

/** @param {number} ms */
export function timeWords(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** @param {string} iso */
export function clockWords(iso) {
  return CLOCK.format(new Date(iso));
}

/** A shape for each severity, so that none is told by its colour alone. @type {Readonly<Record<Row['severity'], string>>} */
const SHAPES = { ok: '✓', saved: '↻', noted: '∼', client: '◁', problem: '✕', running: '…' };

/** @param {Pick<Row, 'severity'>} row */
export function shape({ severity }) {
  return SHAPES[severity];
}

/** What became of it, in a word or two. @param {Row} row */
export function verdictWords({ state, severity, verdict, outcome, error, waited_ms: waitedMs }) {
  if (state === 'running') return 'in progress';
  if (severity === 'saved') return waitedMs > 0 ? 'saved, waited' : 'saved, retried';
  if (outcome === 'relayed' || outcome === 'upgraded') return outcome;
  const word = verdict ?? error?.replaceAll('_', ' ') ?? outcome ?? '';
  if (severity !== 'noted') return word;
  return verdict === 'unverifiable' ? 'unverifiable, no length' : `${word}, see note`;
}

/** Why it is what it is, for whoever points at it. @param {Row} row */
export function verdictTitle({ why, severity }) {
  return why ?? (severity === 'ok' ? 'Proven complete by its length or its last chunk.' : '');
}
