"""What every Python test server answers: four paths, the same bytes from each server.

/bytes/<n>  n bytes in which each 16-byte line holds its own number, so a loss or a repetition shows where it is.
/json/<n>   a JSON document of about n bytes. Neither path ever reads the request body: that is the fault's trigger.
/echo       reads the body by its length and answers its SHA-256 and length.
/headers    the request's fields as this server saw them.
"""

import functools
import hashlib
import json
import re

PLAIN = "text/plain; charset=us-ascii"
JSON = "application/json"


@functools.lru_cache(maxsize=8)
def numbered_bytes(count):
    lines = (count + 15) // 16
    return "".join(f"{line:015d}\n" for line in range(lines))[:count].encode("ascii")


@functools.lru_cache(maxsize=8)
def json_document(count):
    rows = [{"id": row, "text": f"{row:064d}"} for row in range(max(1, count // 88))]
    return json.dumps({"count": len(rows), "rows": rows}).encode("ascii")


def answer(path, read_body, fields):
    """(status, media type, body) of a path; `read_body` is called for /echo only."""
    sized = re.fullmatch(r"/(bytes|json)/([0-9]{1,10})", path)
    if sized:
        count = int(sized[2])
        return (200, PLAIN, numbered_bytes(count)) if sized[1] == "bytes" else (200, JSON, json_document(count))
    if path == "/echo":
        body = read_body()
        return 200, JSON, json.dumps({"sha256": hashlib.sha256(body).hexdigest(), "length": len(body)}).encode()
    if path == "/headers":
        return 200, JSON, json.dumps([list(field) for field in fields]).encode()
    return 404, PLAIN, b"no such path\n"


def wsgi_fields(environ):
    """The request's fields out of a WSGI environ, where their case is lost."""
    for key, value in environ.items():
        name = key[5:] if key.startswith("HTTP_") else key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else None
        if name and value:
            yield name.replace("_", "-").lower(), value
