"""The site's addresses and two more: a page that is nothing but the shell, and one that breaks."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import path

from config.urls import urlpatterns as ours


def broken(request: HttpRequest) -> HttpResponse:
    raise ValueError("as a test wants it")


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(render_to_string("base.html", request=request))


urlpatterns = [path("broken", broken), path("page", page), *ours]
