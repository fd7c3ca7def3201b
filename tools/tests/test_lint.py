"""The house rules find what they are for, and leave alone what only looks like it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools import lint


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write files into an empty project and get what the rules say of it, as `path:line`."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    monkeypatch.setattr(lint, "ROOT", tmp_path)

    def findings(**files: str) -> list[str]:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        names = lint.project_files()
        trees = lint.parsed(names)
        found = [*lint.layer_uses(trees), *lint.silent_writes(trees), *lint.texts(names), *lint.unlisted_vendors(names)]
        return sorted(f"{name}:{line}" for name, line, _ in found)

    return findings


MODELS = """
class Base(LiveModel): ...
class Bid(Base):
    booking = models.ForeignKey("Booking", related_name="bids")
class Plain(models.Model): ...
"""


def test_a_silent_write_on_a_live_model_is_found(project):
    text = "\n".join(
        [
            "Bid.objects.filter(pk=1).update(amount=2)",
            "Bid._default_manager.bulk_create([])",
            "booking.bids.all().update(amount=2)",
            "models.Bid.objects.update(amount=2)",
        ]
    )
    found = project(**{"bookings/models.py": MODELS, "bookings/actions.py": text})

    assert found == [f"bookings/actions.py:{line}" for line in (1, 2, 3, 4)]


def test_other_updates_are_left_alone(project):
    text = "Plain.objects.update(a=1)\nseen.update(a=1)\nbid.history.update(a=1)\nbulk_update(Bid.objects.all(), a=1)\n"
    write = "Bid.objects.update(a=1)\n"

    assert (
        project(**{"a/models.py": MODELS, "a/x.py": text, "realtime/bulk.py": write, "a/tests/test_x.py": write}) == []
    )


def test_the_channel_layer_belongs_to_realtime(project):
    text = "from channels.layers import get_channel_layer\nlayer.group_send('x', {})\n"

    assert project(**{"bookings/actions.py": text, "realtime/bell.py": text}) == [
        "bookings/actions.py:1",
        "bookings/actions.py:2",
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "<script>alert(1)</script>",
        "<style>p {}</style>",
        '<p style="color: red">',
        '<a onclick="go()">',
        '<a hx-on:click="go()">',
        '<a href="javascript:go()">',
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/x.css">',
    ],
)
def test_what_the_content_security_policy_refuses_is_found(project, bad):
    assert project(**{"templates/x/page.html": f"<p>first line</p>\n{bad}\n"}) == ["templates/x/page.html:2"]


def test_harmless_markup_is_left_alone(project):
    text = """{# <script>in a comment</script> #}
    <script type="module" src="{% static 'js/live.js' %}"></script>
    <script id="points" type="application/json">[]</script>
    <p class="style" data-style="x" aria-describedby="on = 'x'">style = good, one = 'two'</p>
    <a href="https://example.org/">elsewhere</a>"""

    assert project(**{"templates/x/page.html": text}) == []


def test_vendored_files_are_listed_and_bring_no_source_map(project):
    files = {
        "static/vendor/VENDOR.md": "| `leaflet/` | 1.9.4 | BSD-2-Clause |",
        "static/vendor/leaflet/leaflet.js": "x",
        "static/vendor/chart/chart.js": "y\n//# sourceMappingURL=chart.js.map\n",
    }

    assert project(**files) == ["static/vendor/chart/chart.js:1", "static/vendor/chart/chart.js:2"]


def test_vendored_files_without_a_listing_are_found(project):
    assert project(**{"static/vendor/leaflet/leaflet.js": "x"}) == ["static/vendor/:1"]


@pytest.mark.parametrize("bad", ["-----BEGIN RSA PRIVATE" + " KEY-----", "AKIA" + "A" * 16, "/ho" + "me/joe/callout"])
def test_secrets_and_machine_paths_are_found(project, bad):
    assert project(**{"docs/x.md": f"one\n{bad}\n"}) == ["docs/x.md:2"]
