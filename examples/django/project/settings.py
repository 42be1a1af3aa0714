"""Settings of the example: for development only, and without a database."""

DEBUG = True
SECRET_KEY = "for development only"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", "django", "lastbyte"]
ROOT_URLCONF = "project.urls"
INSTALLED_APPS = ["reports"]
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
TIME_ZONE = "UTC"
USE_TZ = True
