"""An aiohttp application: `python3 aiohttp_app.py PORT`."""

import sys

import answers
from aiohttp import web


async def view(request):
    # Only /echo asks for its body, and it must be awaited before it is asked for.
    read = await request.read() if request.path == "/echo" else b""
    status, media_type, body = answers.answer(request.path, lambda: read, request.headers.items())
    # As a field: aiohttp's content_type takes no charset.
    return web.Response(status=status, body=body, headers={"Content-Type": media_type})


app = web.Application(client_max_size=1 << 30)
app.router.add_route("*", "/{path:.*}", view)

if __name__ == "__main__":
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
