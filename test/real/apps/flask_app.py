"""A Flask app, served by Werkzeug's own development server: `python3 flask_app.py PORT`."""

import sys

import answers
from flask import Flask, Response, request

app = Flask(__name__)
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@app.route("/", defaults={"path": ""}, methods=METHODS)
@app.route("/<path:path>", methods=METHODS)
def view(path):
    status, media_type, body = answers.answer("/" + path, request.get_data, answers.wsgi_fields(request.environ))
    return Response(body, status, content_type=media_type)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
