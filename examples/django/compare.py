"""Posts to /report directly and through lastbyte, and counts whole answers: python compare.py DIRECT THROUGH [TRIES]

The client of Django ticket 32472: it sends its body in chunks, says Connection: close, and reads a little at a time.
"""

import socket
import sys
import time
from urllib.parse import urlsplit

BODY_BYTES = 100_000
READ_BYTES = 64 * 1024
PAUSE_S = 0.002


def post(url):
    """Returns how many bytes of the answer's body came, and how many were announced."""
    host, port = urlsplit(url).hostname, urlsplit(url).port or 80
    with socket.create_connection((host, port), timeout=30) as connection:
        head = f"POST /report HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        received = b""
        try:
            connection.sendall(head.encode())
            connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (BODY_BYTES, b"x" * BODY_BYTES))
            while octets := connection.recv(READ_BYTES):
                received += octets
                time.sleep(PAUSE_S)
        except ConnectionError:
            pass  # reset: what has come is all there is
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return len(body), int(lengths[0]) if lengths else None


def main(direct, through, tries=10):
    whole = {}
    for name, url in (("direct", direct), ("through lastbyte", through)):
        results = [post(url) for _ in range(int(tries))]
        whole[name] = sum(got == announced for got, announced in results)
        worst = max((announced - got for got, announced in results if announced), default=0)
        print(f"{name}: {whole[name]} of {tries} whole, {worst} bytes lost at worst")
    return 0 if whole["through lastbyte"] == int(tries) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
