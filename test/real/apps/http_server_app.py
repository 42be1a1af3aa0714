"""Python's own http.server, as a BaseHTTPRequestHandler: `python3 http_server_app.py PORT HTTP/1.0|HTTP/1.1`."""

import http.server
import sys

import answers


class Handler(http.server.BaseHTTPRequestHandler):
    def respond(self):
        def read_body():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        status, media_type, body = answers.answer(self.path, read_body, self.headers.items())
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond


if __name__ == "__main__":
    Handler.protocol_version = sys.argv[2]
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
