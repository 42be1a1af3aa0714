/** What is being diagnosed: where it listens, and what it is asked for. */

import { parsed, wrong } from '../config/option-type.ts';
import type { Parsed } from '../config/option-type.ts';
import type { Target } from '../config/settings.ts';
import { hostAndPort, parseTarget, targetUrl } from '../config/target.ts';

export interface Subject {
  readonly target: Target;
  /** Path and query, as they go into the request line. */
  readonly path: string;
  /** What the Host field says. */
  readonly authority: string;
}

/** A target's forms, followed by a path: `http://127.0.0.1:8000/report?all=1`, `8000/report`, `unix:/run/app.sock:/report`. */
export function parseSubject(text: string): Parsed<Subject> {
  const { address, path } = split(text.trim());
  const target = parseTarget(address);
  if (target.kind === 'wrong') return target;
  const [shown = ''] = path.split('#');
  if (/[^\x21-\x7e]/.test(shown)) {
    return wrong(
      'holds a character that no request line may hold',
      'Write it percent-encoded: %20 for a space',
    );
  }
  return parsed({ target: target.value, path: shown, authority: authorityOf(target.value) });
}

/** The same request to another address. */
export function redirected(subject: Subject, target: Target): Subject {
  return { ...subject, target };
}

export function subjectUrl({ target, path }: Subject): string {
  return target.kind === 'unix' ? `${targetUrl(target)}:${path}` : `${targetUrl(target)}${path}`;
}

function split(text: string): { readonly address: string; readonly path: string } {
  const unix = /^(?<address>unix:[^:]*):(?<path>\/.*)$/i.exec(text)?.groups;
  if (unix !== undefined) return { address: unix['address'] ?? '', path: unix['path'] ?? '/' };
  if (/^unix:/i.test(text)) return { address: text, path: '/' };
  const [scheme = ''] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text) ?? [];
  const rest = text.slice(scheme.length);
  const end = rest.search(/[/?#]/);
  if (end === -1) return { address: text, path: '/' };
  const path = rest.slice(end);
  return { address: scheme + rest.slice(0, end), path: path.startsWith('/') ? path : `/${path}` };
}

/** Without the scheme's own port, as clients write it (RFC 9110 section 7.2). */
function authorityOf(target: Target): string {
  if (target.kind === 'unix') return 'localhost';
  const { host, port, tls } = target;
  return port === (tls ? 443 : 80) ? hostAndPort(host, port).replace(/:\d+$/, '') : hostAndPort(host, port);
}
