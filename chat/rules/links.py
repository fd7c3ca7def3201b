"""A message as HTML: everything escaped, addresses in it made safe links."""

from __future__ import annotations

from django.utils.html import Urlizer, conditional_escape
from django.utils.safestring import SafeString, mark_safe

from chat.rules.masking import mask


class SafeUrlizer(Urlizer):
    """Links to http, https and mailto only, which tell nobody where they were followed from."""

    url_template = '<a href="{href}" rel="nofollow noopener noreferrer ugc" target="_blank">{url}</a>'


urlizer = SafeUrlizer()


def as_html(text: str, *, masked: bool) -> SafeString:
    """The text for a page. Line breaks stay as they are: the style sheet keeps them."""
    if masked:
        return conditional_escape(mask(text))
    return mark_safe(urlizer(text, trim_url_limit=80, autoescape=True))  # noqa: S308 (it escapes)
