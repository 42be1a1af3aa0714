"""A bare WSGI app for gunicorn: `python3 -m gunicorn wsgi_app:app`."""

import http

import answers


def app(environ, start_response):
    def read_body():
        return environ["wsgi.input"].read()

    status, media_type, body = answers.answer(environ["PATH_INFO"], read_body, answers.wsgi_fields(environ))
    fields = [("Content-Type", media_type), ("Content-Length", str(len(body)))]
    start_response(f"{status} {http.HTTPStatus(status).phrase}", fields)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
