import { expect, test } from 'vitest';
import { asksForConnectionLogin, logsConnectionIn } from '../../../src/http/framing.ts';

test.each([
  [['Authorization', 'NTLM TlRM'], true],
  [['authorization', 'negotiate TlRM'], true],
  [['Proxy-Authorization', 'Negotiate'], true],
  [['Authorization', 'Basic TlRM'], false],
  [['Authorization', 'NTLMv9 x'], false],
  [['X-Authorization', 'NTLM x'], false],
  [[], false],
])('a request with %j logs its connection in: %s', (fields, expected) => {
  expect(logsConnectionIn(fields)).toBe(expected);
});

test.each([
  [401, ['WWW-Authenticate', 'NTLM'], true],
  [401, ['WWW-Authenticate', 'Basic realm="x"', 'WWW-Authenticate', 'Negotiate TlRM'], true],
  [401, ['WWW-Authenticate', 'Basic realm="x", ntlm'], true],
  [401, ['WWW-Authenticate', 'Bearer'], false],
  [401, ['Proxy-Authenticate', 'NTLM'], false],
  [407, ['Proxy-Authenticate', 'NTLM'], true],
  [407, ['Proxy-Authenticate', 'Digest x'], false],
  [200, ['WWW-Authenticate', 'NTLM'], false],
] as const)('%i with %j asks for a login of the connection: %s', (status, fields, expected) => {
  expect(asksForConnectionLogin(status, fields)).toBe(expected);
});
