"""A bare ASGI app for uvicorn: `python3 -m uvicorn --port PORT asgi_app:app`; answers.py's paths, and live.py's."""

import answers
import live


async def read_body(receive):
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def respond(scope, receive, send):
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    # Only /echo asks for its body, and it must be awaited before it is asked for.
    read = await read_body(receive) if scope["path"] == "/echo" else b""
    status, media_type, body = answers.answer(scope["path"], lambda: read, fields)
    head = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await live.websocket(scope, receive, send)
    elif scope["type"] == "http" and scope["path"].startswith("/live/"):
        await live.http(scope, receive, send)
    elif scope["type"] == "http":
        await respond(scope, receive, send)
    elif scope["type"] == "lifespan":
        await lifespan(receive, send)


async def lifespan(receive, send):
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
