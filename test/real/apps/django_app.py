"""A Django project in one file, served by the real runserver: `python3 django_app.py runserver --noreload HOST:PORT`."""

import sys
import time

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import re_path

import answers
import django_live

settings.configure(
    DEBUG=True,
    SECRET_KEY="only for tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    LOGGING_CONFIG=None,
)


def view(request):
    status, media_type, body = answers.answer(
        request.path, lambda: request.body, answers.wsgi_fields(request.environ)
    )
    response = HttpResponse(body, status=status, content_type=media_type)
    # Without a length runserver ends an answer by closing: the ticket is about answers whose length is known.
    response["Content-Length"] = str(len(body))
    return response


def slow(request, seconds):
    time.sleep(int(seconds))
    return HttpResponse(b"slow")


urlpatterns = [re_path("^slow/([0-9])$", slow), re_path("^live/(events|next|gone)$", django_live.live), re_path("", view)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
