"""Every page of the app, as everybody who may open it sees it, in both themes: axe-core finds nothing serious, and
nothing is there for a mouse alone.

The pages are those of the table in tests/test_site_access.py, so that a new address is looked at by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from e2e import database
from e2e.people import People, session_cookie
from e2e.site import Site
from tests import test_site_access as access
from tests.conftest import Settled, settle

AXE = (Path(__file__).parent / "vendor" / "axe-4.14.1.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SERIOUS = ("serious", "critical")
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
# The dark theme differs in colours alone.
LOOKS = (("light", PHONE, RULES), ("dark", WIDE, ["color-contrast"]))
# Whose pages are looked at, and in how many tests: each is over in less than a minute.
PARTS = {"alice": 2, "bob": 2, "frank": 6, "ed": 1, "": 1}
FILES = "photo|file|evidence|export"  # what may be one, by its address
# What looks as if it could be clicked, or is a control, and cannot be reached with the Tab key. One of several tabs or
# items of a menu is: arrow keys go on from there. What is hidden from readers too is nobody's to press.
MOUSE_ONLY = """() => {
  const controls = 'a[href], button, input, select, textarea, summary';
  const reached = `${controls}, label, option, [tabindex], audio, video`;
  const among = '[role=tab], [role=menuitem], [role=option], [role=radio], [inert] *, [aria-hidden=true]';
  const wrong = [];
  for (const each of document.querySelectorAll('body *')) {
    if (!each.checkVisibility({visibilityProperty: true}) || !each.getClientRects().length) continue;
    const is = (what) => wrong.push(`${what}: ${each.outerHTML.slice(0, 160)}`);
    if (each.tabIndex > 0) is('jumps the queue');
    if (each.matches(controls) && each.tabIndex < 0 && !each.matches(among)) is('no key reaches it');
    const looks = (element) => getComputedStyle(element).cursor === 'pointer';
    if (looks(each) && !looks(each.parentElement) && !each.closest(reached)) is('only a mouse clicks it');
  }
  return wrong;
}"""
# Nothing for people to read, or a piece of a page.
NO_PAGE = {
    "realtime:poll",
    "metrics",
    "manifest",
    "favicon",
    "healthz",
    "readyz",
    "chat:replies",
    "desk:driver_track",
    "credential_file",
}


@pytest.fixture(scope="module")
def who(request: pytest.FixtureRequest) -> str:
    """Whose pages are looked at."""
    name: str = request.param
    return name


@pytest.fixture(scope="module", autouse=True)
def site(_site_process: Site, who: str) -> Site:
    """The running site, empty once for each of them: whoever only looks at pages changes nothing."""
    _site_process.reset()
    database.empty()
    return _site_process


@pytest.fixture(scope="module")
def settled(site: Site) -> Iterator[Settled]:
    """Alice's bookings in every state and who is on the road, their photos where the site looks for them."""
    with pytest.MonkeyPatch.context() as patch:
        made = settle(patch, Path(site.base_env["MEDIA_ROOT"]))
        session_cookie(made.people["alice"])  # the table names a session of hers
        yield made


def pages(settled: Settled, who: str) -> Iterator[str]:
    """The addresses that answer `who` with a page, and one refusal of each kind."""
    column, refused = access.CAST.index(who), {"403", "404", "409"}
    for name, rows in access.table(settled.world, settled.road).items():
        for arguments, expected in rows:
            status = expected.split()[column]
            if name not in NO_PAGE and (status == "200" or status in refused):
                refused.discard(status)
                yield reverse(name, args=arguments)


def findings(page: Page, rules: list[str]) -> list[str]:
    """What axe-core calls serious on the page as it stands, each with its place."""
    result = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
    return [
        f"{each['id']} ({each['impact']}): {node['html'][:160]}"
        for each in result["violations"]
        if each["impact"] in SERIOUS
        for node in each["nodes"][:3]
    ]


@pytest.mark.parametrize(
    ("who", "part"),
    [(who, part) for who, parts in PARTS.items() for part in range(parts)],
    indirect=["who"],
    scope="module",
)
def test_no_page_has_a_serious_fault(settled: Settled, person: People, console: Any, who: str, part: int) -> None:
    console.allow(r"status of 4(0[349]|10)|Traceback")  # what is refused is logged
    page = person(settled.people.get(who), viewport=PHONE)
    wrong: list[str] = []
    for url in list(dict.fromkeys(pages(settled, who)))[part :: PARTS[who]]:
        if re.search(FILES, url) and "text/html" not in page.request.head(url).headers["content-type"]:
            continue
        answer = page.goto(url)
        assert answer and "text/html" in answer.headers["content-type"], f"{url} is no page: leave it out"
        page.evaluate(AXE)
        for scheme, size, rules in LOOKS:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size(size)
            # Colours fade over; what a swap has taken away ends by an error.
            page.evaluate("Promise.allSettled(document.getAnimations().map((each) => each.finished))")
            wrong += [f"{who or 'a stranger'} {url} {scheme}: {each}" for each in findings(page, rules)]
            wrong += [f"{who or 'a stranger'} {url} {size['width']}: {each}" for each in page.evaluate(MOUSE_ONLY)]
    assert not wrong, "\n".join(wrong)
