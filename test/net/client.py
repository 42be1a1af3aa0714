"""A client of one request at a time, on a raw socket, run inside a network namespace.

`python3 client.py accepts HOST PORT` ends when the port accepts connections, or with 1 after 20 seconds.
`python3 client.py ask HOST PORT PATH UPLOAD TRIES`: UPLOAD is none, length:BYTES or chunked:BYTES; each try has a
connection of its own, asks with Connection: close and writes a line of JSON to stdout: `begun` when the answer's head is
there, and then how it ended, with the numbers.
"""

import json
import pathlib
import re
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "real" / "apps"))
import answers  # noqa: E402

SILENCE_S = 20
"""Longer than any pause of the wires, retransmissions included."""


def accepts(host, port):
    for _try in range(400):
        try:
            socket.create_connection((host, port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


def request_of(path, upload):
    kind, _, size = upload.partition(":")
    body = b"f" * int(size or 0)
    framing = {"none": "", "length": f"Content-Length: {len(body)}\r\n", "chunked": "Transfer-Encoding: chunked\r\n"}
    method = "GET" if kind == "none" else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing[kind]}\r\n".encode()
    if kind == "chunked":
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return head + body


def send(connection, octets, faults):
    try:
        connection.sendall(octets)
    except OSError as error:
        faults.append(error)


def say(line):
    print(json.dumps(line), flush=True)


def total_bytes(received):
    """Of the head and the body together; None while the head is not whole."""
    head = received.find(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *([0-9]+)", received[: max(head, 0)], re.IGNORECASE)
    if length is None:
        return None
    say({"kind": "begun"})
    return head + 4 + int(length[1])


def read_answer(connection, faults):
    """(received, how it ended): whole, fin, reset or timeout."""
    received = bytearray()
    total = None
    while total is None or len(received) < total:
        try:
            part = connection.recv(65536)
        except TimeoutError:
            return received, "timeout"
        except OSError:
            return received, "reset"
        if not part:
            # A reset that the sender met first is not told to the reader again.
            return received, "reset" if faults else "fin"
        received += part
        total = total or total_bytes(received)
    return received, "whole"


def ask(host, port, path, upload):
    started = time.monotonic()
    faults = []
    with socket.create_connection((host, port), SILENCE_S) as connection:
        sender = threading.Thread(target=send, args=(connection, request_of(path, upload), faults), daemon=True)
        sender.start()
        received, end = read_answer(connection, faults)
        milliseconds = round((time.monotonic() - started) * 1000)
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    expected = answers.numbered_bytes(int(path.rpartition("/")[2]))
    status = int(head[9:12]) if head.startswith(b"HTTP/1.") else 0
    same = body == expected if status == 200 else False
    text = "" if status == 200 else body.decode(errors="replace")
    say({"kind": "ended", "status": status, "end": end, "same": same, "bytes": len(body), "ms": milliseconds, "text": text})


if __name__ == "__main__":
    what, host, port, *rest = sys.argv[1:]
    if what == "accepts":
        sys.exit(0 if accepts(host, int(port)) else 1)
    path, upload, tries = rest
    for _try in range(int(tries)):
        ask(host, int(port), path, upload)
