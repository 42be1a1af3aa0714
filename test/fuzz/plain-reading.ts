/**
 * A second reading of HTTP/1.1, independent of src/ and of Node's parser: plain, slow and lenient. What the proxy takes
 * for whole must be whole to this one too, with the same bytes; what this one takes, the proxy may well refuse.
 */

export interface PlainResponse {
  readonly status: number;
  readonly body: string;
}

export interface PlainRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  /** The index just after it. */
  readonly end: number;
}

interface PlainHead {
  readonly first: string;
  /** The values of a field, given in lower case. */
  readonly values: (name: string) => readonly string[];
  readonly end: number;
}

/** The final response, if it is whole. @param closed whether the connection was closed cleanly after the text */
export function plainResponse(text: string, method: string, closed: boolean): PlainResponse | null {
  let at = 0;
  for (;;) {
    const head = plainHead(text, at);
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head?.first ?? '')?.[1] ?? 0);
    if (head === null || status === 0 || status === 101) return null;
    at = head.end;
    if (status < 200) continue;
    if (method === 'HEAD' || status === 204 || status === 304) return { status, body: '' };
    const body = plainBody(head, text, closed ? text.slice(at) : null);
    return body === null ? null : { status, body: body.bytes };
  }
}

/** All requests up to the first that cannot be understood or is not whole. */
export function plainRequests(text: string): PlainRequest[] {
  const requests: PlainRequest[] = [];
  let at = 0;
  for (;;) {
    while (/^[\r\n]/.test(text.slice(at, at + 1))) at += 1;
    const head = plainHead(text, at);
    const [, method, target] = /^(\S+) +(\S+)(?: +\S+)?$/.exec(head?.first ?? '') ?? [];
    if (head === null || method === undefined || target === undefined) return requests;
    const body = plainBody(head, text, '');
    if (body === null) return requests;
    requests.push({
      method,
      target: target.replace(/^https?:\/\/[^/?]*/i, ''),
      body: body.bytes,
      end: body.end,
    });
    at = body.end;
  }
}

function plainHead(text: string, at: number): PlainHead | null {
  const eol = /^[^\r\n]*\n/.test(text.slice(at)) ? '\n' : '\r\n';
  const end = text.indexOf(eol + eol, at);
  if (end < 0) return null;
  const [first = '', ...lines] = text
    .slice(at, end)
    .replaceAll(/\r?\n[ \t]+/g, ' ')
    .split(eol);
  const values = (name: string): readonly string[] =>
    lines
      .filter((line) => line.toLowerCase().startsWith(`${name}:`))
      .flatMap((line) => line.slice(name.length + 1).split(','))
      .map((value) => value.replaceAll(/^[ \t]+|[ \t]+$/g, '').toLowerCase());
  return { first, values, end: end + 2 * eol.length };
}

interface PlainBody {
  readonly bytes: string;
  readonly end: number;
}

/** @param unframed the body when no field frames one; null: it has no end */
function plainBody({ values, end }: PlainHead, text: string, unframed: string | null): PlainBody | null {
  const codings = values('transfer-encoding').filter((coding) => coding !== '' && coding !== 'identity');
  if (codings.length > 0) return codings.join() === 'chunked' ? plainChunks(text, end) : null;
  const lengths = new Set(
    values('content-length').map((value) => (/^\d+$/.test(value) ? Number(value) : NaN)),
  );
  const [length] = lengths;
  if (length === undefined) return unframed === null ? null : { bytes: unframed, end: end + unframed.length };
  if (lengths.size > 1 || !(end + length <= text.length)) return null;
  return { bytes: text.slice(end, end + length), end: end + length };
}

function plainChunks(text: string, from: number): PlainBody | null {
  let bytes = '';
  for (let at = from; ;) {
    const line = text.slice(at, text.indexOf('\r\n', at) + 2);
    const digits = /^[\da-f]+/i.exec(line)?.[0];
    if (!line.endsWith('\r\n') || digits === undefined) return null;
    const size = Number.parseInt(digits, 16);
    at += line.length;
    if (size === 0) {
      const end = text.startsWith('\r\n', at) ? at : text.indexOf('\r\n\r\n', at) + 2;
      return end < at ? null : { bytes, end: end + 2 };
    }
    if (text.slice(at + size, at + size + 2) !== '\r\n') return null;
    bytes += text.slice(at, at + size);
    at += size + 2;
  }
}
