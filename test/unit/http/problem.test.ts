/** Refusals as problem+json, as a page, and as Proxy-Status. */

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, ProxyError } from '../../../src/errors.ts';
import { renderProblem } from '../../../src/http/problem.ts';
import type { Problem, ProblemInput } from '../../../src/http/problem.ts';

const SENTENCE = 'The upstream http://127.0.0.1:8000 reset the connection after 30,000 of 51,200 bytes.';

const INPUT: ProblemInput = {
  error: new ProxyError('response_truncated', SENTENCE),
  html: false,
  nextHop: '127.0.0.1:8000',
  more: null,
  receivedStatus: 200,
  details: '30000 of 51200',
  extensions: { attempts: 3, expected: 51_200, received: 30_000, end: 'RST' },
  instance: 'urn:lastbyte:exchange:7',
};

function rendered(
  more: Partial<ProblemInput> = {},
): Problem & { text: string; field: (name: string) => string | null } {
  const problem = renderProblem({ ...INPUT, ...more });
  const field = (name: string): string | null => {
    const at = problem.fields.findIndex((text, index) => index % 2 === 0 && text === name);
    return problem.fields[at + 1] ?? null;
  };
  return {
    ...problem,
    text: problem.body.toString(),
    field: (name) => (problem.fields.includes(name) ? field(name) : null),
  };
}

describe('a problem for a program', () => {
  test('says all there is to say in its detail', () => {
    expect(JSON.parse(rendered({ more: 'And more.' }).text)).toMatchObject({
      detail: `${SENTENCE} And more.`,
    });
    expect(rendered({ html: true, more: 'And <more>.' }).text).toContain(
      `<p>${SENTENCE} And &lt;more&gt;.</p>`,
    );
  });

  test('has the members of RFC 9457 and the numbers', () => {
    const problem = rendered();
    expect(JSON.parse(problem.text)).toEqual({
      type: 'urn:lastbyte:error:response_truncated',
      title: 'The upstream cut its response short',
      status: 502,
      detail: SENTENCE,
      instance: 'urn:lastbyte:exchange:7',
      attempts: 3,
      expected: 51_200,
      received: 30_000,
      end: 'RST',
    });
    expect(problem.field('Content-Type')).toBe('application/problem+json');
    expect(problem.field('Cache-Control')).toBe('no-store');
  });

  test('lets no extension take the place of a standard member', () => {
    const { status, type } = JSON.parse(rendered({ extensions: { status: 200, type: 'x' } }).text);
    expect([status, type]).toEqual([502, 'urn:lastbyte:error:response_truncated']);
  });

  test('counts bytes, not characters', () => {
    const problem = rendered({ error: new ProxyError('bad_request', 'ü→😀') });
    expect(problem.field('Content-Length')).toBe(String(problem.body.length));
    expect(problem.body.length).toBeGreaterThan(problem.text.length);
  });
});

describe('a problem for a person', () => {
  test('is a page that shows the sentence and the numbers', () => {
    const page = rendered({
      html: true,
      extensions: { attempts: 1_000, waited_ms: null, body_unread: true },
    });
    expect(page.field('Content-Type')).toBe('text/html; charset=utf-8');
    expect(page.field('Content-Length')).toBe(String(page.body.length));
    expect(page.text).toContain(`<p>${SENTENCE}</p>`);
    expect(page.text).toContain('<dt>attempts</dt><dd>1,000</dd>');
    expect(page.text).toContain('<dt>waited ms</dt><dd>unknown</dd>');
    expect(page.text).toContain('<dt>body unread</dt><dd>true</dd>');
    expect(page.text).toContain('<dt>upstream</dt><dd>127.0.0.1:8000</dd>');
    expect(rendered({ html: true, nextHop: null }).text).not.toContain('<dt>upstream</dt>');
  });

  test('escapes whatever came from outside, and lets nothing run or load', () => {
    const evil = `<script>alert("1")</script>&'`;
    const error = new ProxyError('response_malformed', evil);
    const page = rendered({ html: true, error, nextHop: evil, instance: evil, extensions: { [evil]: evil } });
    expect(page.text).not.toContain('<script');
    expect(page.text).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;');
    expect(page.text.match(/(src|href)="[^"]*"/g)).toEqual(['href="data:,"']);
    expect(page.field('Content-Security-Policy')).toContain("default-src 'none'");
  });
});

test('the page links to the exchange in the inspector', () => {
  const extensions = { inspector: 'http://127.0.0.1:8081/#open=7&x' };
  expect(rendered({ html: true, extensions }).text).toContain(
    '<a href="http://127.0.0.1:8081/#open=7&amp;x">http://127.0.0.1:8081/#open=7&amp;x</a>',
  );
});

describe('Proxy-Status', () => {
  test('names the error, the upstream, its status and the numbers', () => {
    expect(rendered().field('Proxy-Status')).toBe(
      'lastbyte; error=http_response_incomplete; next-hop="127.0.0.1:8000"; received-status=200; details="30000 of 51200"',
    );
  });

  test('leaves out what is not known', () => {
    const problem = rendered({ nextHop: null, receivedStatus: null, details: null });
    expect(problem.field('Proxy-Status')).toBe('lastbyte; error=http_response_incomplete');
  });

  test('is a structured field whatever the texts hold', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(text, text, (nextHop, details) => {
        expect(rendered({ nextHop, details }).field('Proxy-Status')).toMatch(
          /^lastbyte; error=[a-z_]+; next-hop="([ !#-[\]-~]|\\["\\])*"; received-status=200; details="([ !#-[\]-~]|\\["\\])*"$/,
        );
      }),
    );
    expect(rendered({ details: 'a "b" \\ ü\r\n😀' }).field('Proxy-Status')).toContain(
      'details="a \\"b\\" \\\\ ????"',
    );
  });
});

test('only a 503 says when to come again', () => {
  for (const code of ERROR_CODES) {
    const error = new ProxyError(code, 'A sentence.');
    expect(rendered({ error }).field('Retry-After'), code).toBe(error.status === 503 ? '1' : null);
  }
});

test('only a 405 says what is allowed', () => {
  for (const code of ERROR_CODES) {
    const { status } = new ProxyError(code, 'A sentence.');
    const allowed = rendered({ error: new ProxyError(code, 'A sentence.') }).field('Allow');
    expect(allowed === null, code).toBe(status !== 405);
  }
});
