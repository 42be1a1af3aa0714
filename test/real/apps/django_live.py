"""Django's views that stream, under the real runserver: each event is sent only when it was asked for.

/live/events?<id>        an event stream (StreamingHttpResponse)
/live/next?<id>[&end]    has the stream of this id send one more event, or end
/live/gone?<id>          answers once the server has ended the stream before its end
"""

import collections
import queue
import threading

from django.http import HttpResponse, StreamingHttpResponse

asked = collections.defaultdict(queue.Queue)
left = collections.defaultdict(threading.Event)


def events(key):
    ended = False
    number = 0
    try:
        yield b":ready\n\n"
        while asked[key].get() != "end":
            number += 1
            yield b"data: %d\n\n" % number
        ended = True
    finally:
        # runserver notices that a client has left when it writes, and then closes what it was sending.
        if not ended:
            left[key].set()


def live(request, what):
    key, _, word = request.META["QUERY_STRING"].partition("&")
    if what == "events":
        return StreamingHttpResponse(events(key), content_type="text/event-stream")
    if what == "next":
        asked[key].put(word or "event")
    if what == "gone" and not left[key].wait(timeout=20):
        return HttpResponse(status=504)
    return HttpResponse(status=204)
