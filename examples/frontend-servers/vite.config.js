import { defineConfig } from 'vite';
import lastbyte from 'lastbyte/vite';

const target = process.env.API_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  // Instead of server.proxy: { '/report': target }.
  plugins: [lastbyte({ '/report': target }, { admin: process.env.ADMIN === 'on' })],
  server: { host: '127.0.0.1', port: Number(process.env.PORT ?? 3000), strictPort: true },
});
