/** The public API. */

export { createProxy } from './server/proxy.ts';
export type { Proxy, ProxyEvents } from './server/proxy.ts';
export type { ProxyOptions } from './config/proxy-options.ts';
export { ConfigError } from './config/fault.ts';
export { ProxyError } from './errors.ts';
export type { ErrorCode } from './errors.ts';
export type {
  AttemptRecord,
  ExchangeBegun,
  ExchangeClosed,
  ExchangeNotes,
  ExchangeRecord,
  Outcome,
} from './exchange/events.ts';
export type { StrayBytesNotice } from './exchange/explain.ts';
export type { WaitingNotice } from './exchange/notices.ts';
export type { AttemptTimes } from './upstream/timings.ts';
export type { Ending, Evidence, RequestBodySent } from './upstream/evidence.ts';
export type { VerdictKind } from './upstream/verdict.ts';
export type { AccessLogFormat, LogLevel, Settings, Target, WithholdMode } from './config/settings.ts';

export { diagnose } from './diagnose/diagnose.ts';
export type { DiagnoseOptions, DiagnosisProgress } from './diagnose/diagnose.ts';
export type { DiagnosisReport, DiagnosisVerdict, ScenarioReport, ThroughReport } from './diagnose/report.ts';
export type { Finding, FindingCode } from './diagnose/findings.ts';
export type { Column, Outcome as ProbeOutcome, Spread } from './diagnose/tally.ts';
