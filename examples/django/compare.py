"""Posts to /report directly and through lastbyte, and counts whole answers: python compare.py DIRECT THROUGH [TRIES]

The client of Django ticket 32472: it sends its body in chunks, says Connection: close, and reads a little at a time.
"""

import re
import socket
import sys
import time
from urllib.parse import urlsplit

BODY = b"x" * 100_000
READ_BYTES = 64 * 1024
PAUSE_S = 0.002
SILENCE_S = 5


def post(url):
    """Returns how many bytes of the answer's body came, and how many were announced; None: it was no 200."""
    host, port = urlsplit(url).hostname, urlsplit(url).port or 80
    head = f"POST /report HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    received = b""
    with socket.create_connection((host, port), timeout=SILENCE_S) as connection:
        try:
            connection.sendall(head.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
            while not is_whole(received) and (octets := connection.recv(READ_BYTES)):
                received += octets
                time.sleep(PAUSE_S)
        except (ConnectionError, TimeoutError):
            pass  # reset, or silent: what has come is all there is
    return progress(received)


def is_whole(received):
    got, announced = progress(received)
    return got == announced


def progress(received):
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    is_ok = re.match(rb"HTTP/1\.[01] 200 ", head)
    return len(body), int(length[1]) if length and is_ok else None


def main(direct, through, tries=10):
    for name, url in (("direct", direct), ("through lastbyte", through)):
        results = [post(url) for _ in range(int(tries))]
        whole = sum(got == announced for got, announced in results)
        worst = max((announced - got for got, announced in results if announced), default=0)
        print(f"{name}: {whole} of {tries} whole, {worst} bytes lost at worst", flush=True)
    return 0 if whole == int(tries) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
