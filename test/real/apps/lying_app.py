"""Django views whose Content-Length lies: `python3 lying_app.py runserver --noreload HOST:PORT`.

/lies/<announced>/<sent>  announces so many bytes and sends so many, each an x.
/honest                   six bytes, announced as six.
/raises                   streams six bytes, and raises.
"""

import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import re_path

settings.configure(DEBUG=True, SECRET_KEY="only for tests", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, LOGGING_CONFIG=None)


def lies(_request, announced, sent):
    response = HttpResponse(b"x" * int(sent))
    response["Content-Length"] = announced
    return response


def honest(_request):
    return HttpResponse(b"honest", headers={"Content-Length": "6"})


def raises(_request):
    def parts():
        yield b"honest"
        raise ValueError("in the middle of the stream")

    return StreamingHttpResponse(parts())


urlpatterns = [
    re_path(r"^lies/(\d+)/(\d+)$", lies),
    re_path("^honest$", honest),
    re_path("^raises$", raises),
]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
