"""A browser that is signed in, and a crawler of it: what a page links to, loads and sends, and what it must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client
from django.urls import Resolver404, resolve, reverse

from accounts.models import User

PASSWORD = "correct horse battery staple"
LOADS = {"img": "src", "script": "src", "link": "href", "source": "src", "use": "href"}


def browser(user: User | None) -> Client:
    """Signed in as `user` with a password just given; None: nobody."""
    client = Client()
    if user is not None:
        if not user.has_usable_password() or not user.check_password(PASSWORD):
            user.set_password(PASSWORD)
            user.save(update_fields=["password"])
        answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
        assert answer.status_code == 302
    return client


class Page(HTMLParser):
    """What one page holds."""

    def __init__(self, url: str, response: HttpResponse) -> None:
        super().__init__()
        self.url = url
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.forms: set[tuple[str, str]] = set()
        self.ids: Counter[str] = Counter()
        self.anchors: set[str] = set()
        self.tags: Counter[str] = Counter()
        self.inline: list[str] = []
        self._script = False
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what this element asks for."""
        values = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        if "id" in values:
            self.ids[values["id"]] += 1
        self._inline(tag, values)
        # Links that change what was looked at, or are not for everybody who is sent them, are not followed.
        if tag == "a" and "href" in values and values.get("rel") != "nofollow":
            self._link(values["href"])
        if tag == "form":
            self.forms.add((values.get("method", "get").lower(), self._at(values.get("action") or self.url)))
        if tag in LOADS and (target := values.get(LOADS[tag])) and not target.startswith("data:"):
            self.loads.add(self._at(target))
        for name in ("data-css", "data-boroughs", "data-lines", "data-toast-href", "data-sign-in"):
            if target := values.get(name):
                (self.loads if target.startswith(settings.STATIC_URL) else self.links).add(self._at(target))

    def handle_data(self, data: str) -> None:
        """Only scripts' own words matter."""
        if self._script and data.strip():
            self.inline.append(f"<script> {data.strip()[:40]}")

    def handle_endtag(self, tag: str) -> None:
        """The end of a script."""
        if tag == "script":
            self._script = False

    def _inline(self, tag: str, values: dict[str, str]) -> None:
        self._script = tag == "script" and values.get("type") not in {"application/json", "importmap"}
        self.inline += [f"<{tag} {name}>" for name in values if name == "style" or name.startswith("on")]
        if tag == "style":
            self.inline.append("<style>")

    def _link(self, href: str) -> None:
        if href.startswith("#"):
            self.anchors.add(href[1:])
        elif not href.startswith(("mailto:", "tel:")) and not urlsplit(href).netloc:
            self.links.add(self._at(href))

    def _at(self, target: str) -> str:
        return urljoin(self.url, target).split("#")[0]


# One such page is like the next, and there are as many as there are notices.
MOST_OF = {"notifications:read": 2, "notifications:clear": 2}


@dataclass
class Crawl:
    """A walk through all that one person can reach; `wrong` says what was wrong, page by page.

    Of one address, `most` pages with different arguments are looked at; of the views whose names begin with `beyond`,
    none.
    """

    client: Client
    most: int = 25
    beyond: str | None = None
    wrong: list[str] = field(default_factory=list)
    pages: dict[str, HttpResponse] = field(default_factory=dict)
    _seen: Counter[str] = field(default_factory=Counter)

    def walk(self, *starts: str) -> Crawl:
        """Follow every link from `starts` on."""
        waiting, known = [(start, "start") for start in starts], set(starts)
        while waiting:
            url, source = waiting.pop(0)
            for link in self.visit(url, source):
                if link not in known:
                    known.add(link)
                    waiting.append((link, url))
        return self

    def visit(self, url: str, source: str) -> Iterator[str]:
        """Load one page, judge it, and give the addresses that it leads to."""
        if url.startswith(settings.STATIC_URL):
            self._static(url, source)
            return
        try:
            name = resolve(urlsplit(url).path).view_name
        except Resolver404:
            self.wrong.append(f"{source} leads to {url}, which does not exist")
            return
        if self.beyond and name.startswith(self.beyond):
            return
        self._seen[name] += 1
        if self._seen[name] > MOST_OF.get(name, self.most):
            return
        response = self.client.get(url)
        self.pages[url] = response
        if response.status_code >= 400:
            self.wrong.append(f"{source} leads to {url}, which answers {response.status_code}")
        self._policy(url, response)
        if response.status_code in (301, 302, 303):
            yield urljoin(url, response["Location"])
        elif response.get("Content-Type", "").startswith("text/html") and not response.streaming:
            yield from self._judge(Page(url, response))

    def _judge(self, page: Page) -> Iterator[str]:
        if page.tags["h1"] != 1:
            self.wrong.append(f"{page.url} has {page.tags['h1']} h1")
        self.wrong += [f"{page.url} has inline {what}" for what in page.inline]
        self.wrong += [f"{page.url} has {count} elements of id {each}" for each, count in page.ids.items() if count > 1]
        self.wrong += [f"{page.url} leads to #{each}, which is not there" for each in page.anchors - {*page.ids, ""}]
        for method, action in page.forms:
            if method == "get":
                yield action
            else:
                self._action(page.url, action)
        yield from page.links
        yield from page.loads

    def _static(self, url: str, source: str) -> None:
        path = urlsplit(url).path.removeprefix(settings.STATIC_URL)
        if finders.find(path) is None:
            self.wrong.append(f"{source} loads {url}, which is missing")

    def _action(self, source: str, action: str) -> None:
        try:
            resolve(urlsplit(action).path)
        except Resolver404:
            self.wrong.append(f"{source} sends to {action}, which does not exist")

    def _policy(self, url: str, response: HttpResponse) -> None:
        policy = response.get("Content-Security-Policy", "")
        scripts = "script-src 'self'" in policy or "sandbox" in policy  # of pages; files may run none at all
        if not scripts or "unsafe" in policy or "default-src 'none'" not in policy:
            self.wrong.append(f"{url} has the policy {policy!r}")
