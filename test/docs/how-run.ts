/** How each command of the documents is run by a test. One that is not listed here fails test/docs/commands.test.ts. */

export type How =
  /** Starts lastbyte in front of a faulty server; then `ask` gets a whole response from it, and SIGTERM ends it. */
  | { readonly kind: 'serves'; readonly ask: string; readonly before?: string; readonly in?: 'root' }
  /** Ends by itself with this code, or one of these, beside a server and lastbyte. */
  | { readonly kind: 'ends'; readonly code: number | readonly number[]; readonly says?: RegExp }
  /** A server of somebody else: it answers on its port. */
  | { readonly kind: 'listens'; readonly module: 'django' | 'flask'; readonly folder: 'django' | 'recipes' }
  /** Too long, or too far-reaching, for this test; `where` is the file that runs it, and has `words`. */
  | { readonly kind: 'elsewhere'; readonly where: string; readonly words: string };

const ASK = 'curl -fsS http://127.0.0.1:8080/report -o /dev/null';
const SOCKET_ASK = 'curl --unix-socket /tmp/lastbyte.sock http://localhost/report -o /dev/null';
const TLS_ASK = 'curl --cacert cert.pem https://localhost:8080/report -o /dev/null';
const MAKE_CERTIFICATE =
  'openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem';

const serves: How = { kind: 'serves', ask: ASK };
const ci = (words: string): How => ({ kind: 'elsewhere', where: '.ci/run', words });
const docker = (words: string): How => ({ kind: 'elsewhere', where: 'scripts/docker-test.sh', words });
const script = (words: string): How => ({ kind: 'elsewhere', where: 'package.json', words });

export const HOW: Readonly<Record<string, How>> = {
  'npx lastbyte 8000': serves,
  'npm start -- 8000': { ...serves, in: 'root' },
  'npx lastbyte 8000 --body-hold 2s': serves,
  'npx lastbyte 8000 --withhold-body always': serves,
  'npx lastbyte 8000 --change-origin': serves,
  'npx lastbyte 8000 --unverifiable refuse': serves,
  'npx lastbyte 8000 --linger-timeout 50ms': serves,
  'npx lastbyte 8000 --stream /events/,application/x-log': serves,
  'npx lastbyte 8000 --trust-proxy 127.0.0.1': serves,
  'npx lastbyte 8000 --port 9080 --admin-port 9081': { kind: 'serves', ask: ASK.replace('8080', '9080') },
  'npx lastbyte --config lastbyte.yaml': { kind: 'serves', ask: ASK.replace('8080', '9080') },
  'npx lastbyte unix:/tmp/app.sock': serves,
  'npx lastbyte 8000 --socket /tmp/lastbyte.sock': { kind: 'serves', ask: SOCKET_ASK },
  'npx lastbyte 8000 --tls-cert cert.pem --tls-key key.pem': {
    kind: 'serves',
    ask: TLS_ASK,
    before: MAKE_CERTIFICATE,
  },

  'python3 manage.py runserver 8000': { kind: 'listens', module: 'django', folder: 'django' },
  'python3 -m flask --app app run --port 8000': { kind: 'listens', module: 'flask', folder: 'recipes' },

  'npx lastbyte print-config': { kind: 'ends', code: 0, says: /body-hold/ },
  'npx lastbyte print-config --config lastbyte.yaml': {
    kind: 'ends',
    code: 0,
    says: /250ms .*lastbyte\.yaml/,
  },
  'curl -sS -i http://127.0.0.1:8080/report -o /dev/null -D -': {
    kind: 'ends',
    code: 0,
    says: /^HTTP\/1\.1 200/,
  },
  'curl -fsS http://127.0.0.1:8081/healthz': { kind: 'ends', code: 0, says: /^ok/ },
  'curl -fsS http://127.0.0.1:8081/readyz': { kind: 'ends', code: 0 },
  "ss -ltnp 'sport = :8080'": { kind: 'ends', code: 0, says: /LISTEN/ },
  [`npx lastbyte 8000 --quiet &
curl -fsS --retry 30 --retry-delay 1 --retry-all-errors http://127.0.0.1:8081/readyz
curl -fsS -d 'any=body' http://127.0.0.1:8080/report -o /dev/null
kill $!
wait $!`]: { kind: 'ends', code: 0 },

  // The server has the fault.
  'npx lastbyte diagnose http://127.0.0.1:8000/report': { kind: 'ends', code: 1, says: /FAULT/ },
  'npx lastbyte diagnose http://127.0.0.1:8000/report --json': {
    kind: 'ends',
    code: 1,
    says: /"verdict":\s*"fault"/,
  },
  "npx lastbyte diagnose 8000/api/upload --method POST --data @body.json --header 'Cookie: session=abc'": {
    kind: 'ends',
    code: 1,
    says: /FAULT/,
  },
  'npx lastbyte diagnose 8000/report --through 8080': { kind: 'ends', code: 1, says: /through/i },
  // The fault does not show each time: curl's own codes are for a whole response, a part of one, and a reset.
  'npx lastbyte diagnose 8000/report --curl | bash': { kind: 'ends', code: [0, 18, 56], says: /bytes/ },

  'npm ci && npm test': ci('npm test'),
  '.ci/run': ci('check '),
  'npm ci && npm run build': script('npm run build'),
  'npm ci && npm run demo': { kind: 'elsewhere', where: 'test/real/demo.test.ts', words: 'demo' },
  'npm run test:soak': { kind: 'elsewhere', where: 'test/wire/soak.test.ts', words: 'soak' },
  'npm run test:soak -- --idle 5000': { kind: 'elsewhere', where: 'test/wire/soak.test.ts', words: 'idle' },
  'npm run test:large': {
    kind: 'elsewhere',
    where: 'test/wire/spools.test.ts',
    words: 'LASTBYTE_TEST_LARGE',
  },
  'npm run test:net': script('--project=net'),
  'npm run compare': script('scripts/compare-proxies.ts'),
  'npm run compare:tools': script('scripts/compare-tools.ts'),
  // It installs; its result is the table that the same page shows.
  'sudo apt-get install nginx-light haproxy caddy varnish mitmproxy': script('scripts/compare-proxies.ts'),
  'npx vitest run test/wire/my-reproduction.test.ts': {
    kind: 'elsewhere',
    where: 'test/wire/reproduction.test.ts',
    words: 'test(',
  },
  'docker compose up --build': docker('up django'),
  'docker compose run --rm compare': docker('run --build --rm compare'),
};

/** Documents whose commands others run: all of them, with the reason. */
export const OTHERS_RUN: Readonly<Record<string, string>> = {
  'docs/release.md': 'A release is made by hand; test/cli/package.test.ts packs and installs.',
  'docs/performance.md': 'Measurements, which take minutes.',
  'bench/README.md': 'Measurements, which take minutes.',
  'examples/flask/README.md': 'The Docker check of .ci/run.',
  'examples/node-client/README.md': 'The Docker check of .ci/run.',
  'examples/vite/README.md': 'The Docker check of .ci/run.',
  'examples/frontend-servers/README.md': 'test/docs/frontend-servers.test.ts runs its files.',
  'examples/kubernetes/README.md': 'A cluster is needed; its manifest is checked against the schema.',
};
