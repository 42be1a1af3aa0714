import { expect, test } from 'vitest';
import { prefersHtml } from '../../../src/http/problem.ts';

test.each<[who: string, accept: string | undefined, html: boolean]>([
  ['a client that says nothing', undefined, false],
  ['an empty field', '', false],
  ['curl', '*/*', false],
  ['fetch', '*/*', false],
  ['Firefox', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
  [
    'Chrome',
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7',
    true,
  ],
  ['jQuery', 'application/json, text/javascript, */*; q=0.01', false],
  ['axios', 'application/json, text/plain, */*', false],
  ['Accept with a text wildcard', 'text/*', false],
  ['XHTML alone', 'application/xhtml+xml', true],
  ['HTML and JSON alike', 'text/html, application/json', true],
  ['HTML less than JSON', 'text/html;q=0.5, application/json', false],
  ['HTML less than a problem', 'text/html ; Q=0.5, application/problem+json; q=0.75', false],
  ['HTML more than JSON', 'application/json;q=0.5,text/html;level=1;q=0.6;ext=1', true],
  ['HTML refused', 'text/html;q=0, */*', false],
  ['HTML with a weight that is none', 'text/html;q=high', false],
  ['HTML with a weight above one', 'text/html;q=1.5', false],
  ['HTML with an empty weight', 'text/html;q=', false],
])('%s: a page is preferred', (_who, accept, html) => {
  expect(prefersHtml(accept)).toBe(html);
});
