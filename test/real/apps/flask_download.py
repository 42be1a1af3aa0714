"""A Flask app that offers downloads with names beyond ASCII, their length first: `python3 flask_download.py PORT`."""

import io
import sys

from flask import Flask, send_file
from werkzeug.datastructures import Headers

app = Flask(__name__)


@app.route("/send/<name>")
def send(name):
    """The name as send_file writes it, in Latin-1 or RFC 8187."""
    return length_first(send_file(io.BytesIO(b"whole"), download_name=name, as_attachment=True))


@app.route("/raw/<name>")
def raw(name):
    """The name as its bytes in UTF-8, as many views write it."""
    response = send_file(io.BytesIO(b"whole"), mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'.encode().decode("latin1")
    return length_first(response)


def length_first(response):
    others = [(name, value) for name, value in response.headers if name != "Content-Length"]
    response.headers = Headers([("Content-Length", "5"), *others])
    return response


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
