const status = document.querySelector('[role=status]');

async function post() {
  const body = JSON.stringify({ filter: 'x'.repeat(100_000) });
  const response = await fetch('/report', { method: 'POST', body });
  const { count, rows } = await response.json();
  return `${rows.length} of ${count} rows`;
}

document.querySelector('button').addEventListener('click', () => {
  const tell = (text) => {
    status.textContent = String(text);
  };
  tell('asking …');
  post().then(tell, tell);
});
