/** Resolves with what came of a POST whose body the view never reads. */
export async function post() {
  const body = JSON.stringify({ filter: 'x'.repeat(100_000) });
  const response = await fetch('/report', { method: 'POST', body });
  const { count, rows } = await response.json();
  return `${rows.length} of ${count} rows`;
}
