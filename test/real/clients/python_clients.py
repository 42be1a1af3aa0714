"""Python's own clients against one address: prints, as JSON, what each request brought."""

import hashlib
import http.client
import json
import sys
import urllib.request
from urllib.parse import urlsplit

BASE = sys.argv[1]
ADDRESS = urlsplit(BASE)
UPLOAD = b"p" * 100_000


def outcome(response):
    body = response.read()
    return {"status": response.status, "length": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def with_http_client(method, path, **options):
    connection = http.client.HTTPConnection(ADDRESS.hostname, ADDRESS.port, timeout=30)
    try:
        connection.request(method, path, **options)
        return outcome(connection.getresponse())
    finally:
        connection.close()


def with_urllib(path, body=None):
    with urllib.request.urlopen(urllib.request.Request(BASE + path, data=body), timeout=30) as response:
        return outcome(response)


def on_one_connection(paths):
    connection = http.client.HTTPConnection(ADDRESS.hostname, ADDRESS.port, timeout=30)
    outcomes = []
    for path in paths:
        connection.request("POST", path, body=UPLOAD)
        outcomes.append(outcome(connection.getresponse()))
    connection.close()
    return outcomes


def chunks():
    for start in range(0, len(UPLOAD), 7_000):
        yield UPLOAD[start : start + 7_000]


CLOSE = {"Connection": "close"}
print(
    json.dumps(
        {
            "http.client GET": with_http_client("GET", "/bytes/5000000"),
            "http.client POST": with_http_client("POST", "/bytes/5000000", body=UPLOAD, headers=CLOSE),
            "http.client chunked POST": with_http_client(
                "POST", "/bytes/5000000", body=chunks(), headers=CLOSE, encode_chunked=True
            ),
            "http.client chunked echo": with_http_client("POST", "/echo", body=chunks(), encode_chunked=True),
            "http.client kept connection": on_one_connection(["/bytes/5000000"] * 3),
            "urllib GET": with_urllib("/bytes/5000000"),
            "urllib POST": with_urllib("/bytes/5000000", UPLOAD),
        }
    )
)
