import { post } from './post.js';

const status = document.querySelector('[role=status]');

document.querySelector('button').addEventListener('click', () => {
  const tell = (text) => {
    status.textContent = String(text);
  };
  tell('asking …');
  post().then(tell, tell);
});
