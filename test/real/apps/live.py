"""What the ASGI test app does that is not one answer: events sent when they are asked for, and a WebSocket.

/live/events?<id>   an event stream; each event is sent only when it was asked for.
/live/next?<id>     has the stream of this id send one more event; with "&end" behind the id, end.
/live/gone?<id>     answers once the client of this stream has left, as the server saw it.
"""

import asyncio
import collections

# By the id of a stream: what it shall do next, and whether its client has left.
asked = collections.defaultdict(asyncio.Queue)
left = collections.defaultdict(asyncio.Event)
# By the id of a WebSocket: the code with which its client closed.
close_codes = collections.defaultdict(asyncio.Queue)


async def http(scope, receive, send):
    key, _, what = scope["query_string"].decode().partition("&")
    if scope["path"] == "/live/events":
        await stream_events(key, receive, send)
        return
    if scope["path"] == "/live/next":
        await asked[key].put(what or "event")
    elif scope["path"] == "/live/gone":
        await left[key].wait()
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


async def stream_events(key, receive, send):
    head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    # The head leaves with the first part of the body: this comment is an event stream's way to say nothing.
    await send({"type": "http.response.body", "body": b":ready\n\n", "more_body": True})
    watcher = asyncio.ensure_future(watch(key, receive))
    number = 0
    while True:
        if await asked[key].get() == "end":
            break
        number += 1
        await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
    watcher.cancel()
    await send({"type": "http.response.body"})


async def watch(key, receive):
    while (await receive())["type"] != "http.disconnect":
        pass
    left[key].set()
    # A server may drop what is sent to a client that has left without a word: the stream is told to end.
    await asked[key].put("end")


async def websocket(scope, receive, send):
    """Echoes; closes with a code of its own when asked to; "close of <id>" is answered when that one has closed."""
    while True:
        message = await receive()
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif message["type"] == "websocket.disconnect":
            close_codes[scope["query_string"].decode()].put_nowait(message["code"])
            return
        elif message.get("text") == "close me":
            await send({"type": "websocket.close", "code": 4321, "reason": "as asked"})
        elif (message.get("text") or "").startswith("close of "):
            code = await close_codes[message["text"][len("close of ") :]].get()
            await send({"type": "websocket.send", "text": str(code)})
        elif message.get("text") is not None:
            await send({"type": "websocket.send", "text": message["text"]})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
