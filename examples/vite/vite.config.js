import { defineConfig } from 'vite';

/** The API is Django, with lastbyte in front of it; without Compose, lastbyte is on this machine. */
const API = process.env.API_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  server: {
    port: 5173,
    strictPort: true,
    proxy: {
      '/report': { target: API, changeOrigin: true },
    },
  },
});
