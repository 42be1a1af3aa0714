/** Good messages of every kind, to be broken. */

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKS = '5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n';

export const RESPONSES: readonly string[] = [
  `${OK}Content-Length: 5\r\n\r\nhello`,
  `${OK}Transfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
  `${OK}Set-Cookie: a\r\nX: b\r\n c\r\n\r\nuntil close`,
  'HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nno',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 9\r\n\r\n',
  `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
  `HTTP/1.0 500\r\nTransfer-Encoding: chunked\r\nConnection: close, X\r\nX: 1\r\n\r\n${CHUNKS}`,
  `${OK}Content-Length: 5, 5\r\n\r\nhello${OK}Content-Length: 4\r\n\r\nevil`,
];

const LAST = 'GET /last HTTP/1.1\r\nHost: x\r\n\r\n';

export const REQUESTS: readonly string[] = [
  `GET /a?b=c HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nCookie: a=b\r\n\r\n${LAST}`,
  `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello${LAST}`,
  `POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}${LAST}`,
  `PUT http://x/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok${LAST}`,
  `GET /a HTTP/1.0\r\nConnection: keep-alive, X\r\nX: 1\r\n\r\n${LAST}`,
  `OPTIONS * HTTP/1.1\r\nHost: x:80\r\nMax-Forwards: 3\r\n\r\n${LAST}`,
  `HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nDELETE /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${LAST}`,
  'GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nraw bytes',
  `GET /${'a'.repeat(300)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${LAST}`,
];
