/** Whether a client would rather have a page than a problem in JSON. */

/** A browser names text/html; curl and fetch take anything (RFC 9110 section 12.5.1). */
export function prefersHtml(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const html = quality(accept, 'text/html');
  return (
    html > 0 &&
    html >= Math.max(quality(accept, 'application/json'), quality(accept, 'application/problem+json'))
  );
}

function quality(accept: string, type: string): number {
  for (const range of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = range.split(';').map((part) => part.trim());
    if (name !== type) continue;
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const value = weight === undefined ? 1 : Number(weight.slice(2));
    return Number.isNaN(value) ? 0 : value;
  }
  return 0;
}
