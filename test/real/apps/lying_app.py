"""Django views whose Content-Length lies: `python3 lying_app.py runserver --noreload HOST:PORT`.

/lies/<announced>/<sent>  announces so many bytes and sends so many, each an x.
/honest                   six bytes, announced as six.
"""

import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import re_path

settings.configure(DEBUG=True, SECRET_KEY="only for tests", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, LOGGING_CONFIG=None)


def lies(_request, announced, sent):
    response = HttpResponse(b"x" * int(sent))
    response["Content-Length"] = announced
    return response


def honest(_request):
    return HttpResponse(b"honest", headers={"Content-Length": "6"})


urlpatterns = [re_path(r"^lies/(\d+)/(\d+)$", lies), re_path("^honest$", honest)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
