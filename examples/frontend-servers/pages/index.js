import { useState } from 'react';
import { post } from '../src/post.js';

/** Next's own page; the other servers have index.html. */
export default function Page() {
  const [status, setStatus] = useState('');
  const ask = () => {
    setStatus('asking …');
    post().then(setStatus, (error) => setStatus(String(error)));
  };
  return (
    <>
      <h1>lastbyte in a frontend server → Django</h1>
      <button type="button" onClick={ask}>
        POST /report
      </button>
      <p role="status">{status}</p>
    </>
  );
}
