"""The template tags: what a state, an amount, a time and a person look like on every page."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils.html import strip_tags

from common.money import Money
from common.states import BY_KIND, LOOKS, look_of

WINTER = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
SUMMER = datetime(2026, 7, 3, 14, 0, tzinfo=UTC)


def painted(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


class TestIcons:
    def test_a_decoration_is_silent(self):
        html = painted('{% icon "wrench" %}')
        assert 'aria-hidden="true"' in html
        assert html.count("#wrench") == 1

    def test_with_a_label_it_speaks(self):
        html = painted('{% icon "wrench" "Repair" %}')
        assert 'role="img" aria-label="Repair"' in html
        assert "aria-hidden" not in html

    def test_every_icon_of_a_state_is_in_the_sprite(self, settings):
        sprite = (settings.BASE_DIR / "static/vendor/lucide/icons.svg").read_text()
        wanted = {look.icon for look in [*LOOKS.values(), *BY_KIND.values()]} | {"circle-help"}
        assert {name for name in wanted if f'id="{name}"' not in sprite} == set()

    def test_every_tone_of_a_state_has_its_colours(self, settings):
        css = (settings.BASE_DIR / "static/css/components.css").read_text()
        tones = {look.tone for look in [*LOOKS.values(), *BY_KIND.values()]} - {"quiet"}
        assert {tone for tone in tones if f".chip-{tone} " not in css} == set()


class TestStates:
    def test_a_chip_says_it_in_word_icon_and_tone(self):
        html = painted('{% status_chip "completed" %}')
        assert "Finished" in html
        assert "#circle-check" in html
        assert "chip-good" in html
        assert 'data-state="completed"' in html

    def test_the_same_word_of_two_machines_differs(self):
        assert look_of("open", "booking").word == "Finding technicians"
        assert look_of("open", "invoice").word == "To be paid"
        assert look_of("open").word == "Open"

    def test_a_state_nobody_named_is_never_blank(self):
        assert look_of("half_done").word == "Half done"

    def test_a_word_is_escaped(self):
        assert "<b>" not in painted("{% status_chip s %}", s="<b>")

    def test_the_word_alone(self):
        assert painted('{{ "no_show"|status_word }}') == "No-show"


class TestMoney:
    @pytest.mark.parametrize(
        ("amount", "currency", "shown"),
        [(Decimal("45"), "GBP", "£45.00"), (Decimal("1234.5"), "EUR", "€1,234.50"), (Decimal("900"), "JPY", "¥900")],
    )
    def test_an_amount_with_its_currency(self, amount, currency, shown):
        assert painted("{{ a|money:c }}", a=amount, c=currency) == shown

    def test_money_itself(self):
        assert painted("{{ a|money }}", a=Money(Decimal("45"), "GBP")) == "£45.00"

    def test_zero_is_an_amount_and_none_is_not(self):
        assert painted('{{ a|money:"GBP" }}', a=Decimal(0)) == "£0.00"
        assert painted('{{ a|money:"GBP" }}', a=None) == ""


class TestTimes:
    @pytest.mark.parametrize(
        ("span", "words"),
        [
            (timedelta(minutes=45), "45 min"),
            (timedelta(minutes=60), "1 h"),
            (timedelta(minutes=90), "1 h 30 min"),
            (120, "2 h"),
            (timedelta(hours=48), "2 days"),
            (timedelta(hours=50), "2 days 2 h"),
            (None, ""),
        ],
    )
    def test_a_length_in_words(self, span, words):
        assert painted("{{ s|duration }}", s=span) == words

    def test_a_length_on_the_clock(self):
        assert painted("{{ s|clock }}", s=timedelta(minutes=32, seconds=59)) == "00:32"
        assert painted("{{ s|clock }}", s=3 * 3600 + 120) == "03:02"

    def test_the_jobs_zone_with_its_name_in_winter_and_summer(self):
        html = painted('{% local_time t "Europe/London" %}', t=WINTER)
        assert strip_tags(html) == "Tue 3 Mar, 14:00 GMT"
        assert 'datetime="2026-03-03T14:00:00+00:00"' in html
        assert 'data-zone="Europe/London"' in html
        assert strip_tags(painted('{% local_time t "Europe/London" %}', t=SUMMER)) == "Fri 3 Jul, 15:00 BST"

    def test_styles(self):
        assert ">14:00 GMT<" in painted('{% local_time t "Europe/London" "time" %}', t=WINTER)
        assert ">Tue 3 March<" in painted('{% local_time t "Europe/London" "day" %}', t=WINTER)

    def test_no_time_is_nothing(self):
        assert painted("{% local_time t %}", t=None) == ""
        assert painted("{% local_span t t %}", t=None) == ""

    def test_a_window(self):
        html = painted('{% local_span a b "Europe/London" %}', a=WINTER, b=WINTER + timedelta(hours=1))
        assert strip_tags(html) == "Tue 3 Mar, 14:00-15:00 GMT"
        assert '<span class="nowrap">14:00-15:00 GMT</span>' in html

    def test_a_sentence_does_not_break_within_a_window(self):
        html = painted("{{ s|unbroken }}", s="<Bob> is coming, Sun 10:00-11:00 GMT")
        assert html == '&lt;Bob&gt; is coming, Sun <span class="nowrap">10:00-11:00 GMT</span>'

    def test_a_window_over_midnight_names_both_days(self):
        html = painted('{% local_span a b "Europe/London" %}', a=WINTER, b=WINTER + timedelta(hours=11))
        assert strip_tags(html) == "Tue 3 Mar, 14:00-Wed 4 Mar, 01:00 GMT"


class TestPeople:
    def test_initials_without_a_photo(self):
        assert ">AK<" in painted('{% avatar "Anna Kovacs" %}')
        assert ">?<" in painted('{% avatar "" %}')

    def test_a_photo_is_silent_beside_its_name(self):
        html = painted('{% avatar "Anna" "/photo.jpg" "lg" %}')
        assert 'class="avatar avatar-lg"' in html
        assert 'alt=""' in html

    def test_a_name_is_escaped(self):
        assert "<i" not in painted("{% avatar n %}", n="<i >x")

    def test_a_rating_speaks(self):
        assert painted("{% stars 4.84 32 %}").endswith('4.8 <span class="rating-count">(32)</span></span>')
        assert "No reviews yet" in painted("{% stars r %}", r=None)


class TestForms:
    def test_every_form_has_its_own_key(self):
        one, other = painted("{% idempotency_key %}"), painted("{% idempotency_key %}")
        assert 'type="hidden" name="idempotency_key"' in one
        assert one != other

    def test_where_one_is(self, rf):
        request = rf.get("/jobs/5/")
        assert 'aria-current="page"' in painted('{% here "/jobs/" %}', request=request)
        assert painted('{% here "/" %}', request=request) == ""
        assert painted('{% here "" %}', request=request) == ""


def test_every_icon_that_a_template_names_is_in_the_sprite(settings):
    sprite = (settings.BASE_DIR / "static/vendor/lucide/icons.svg").read_text()
    templates = (settings.BASE_DIR / "templates").rglob("*.html")
    named = {name for path in templates for name in re.findall(r'\{% icon "([^"]+)"', path.read_text())}
    assert {name for name in named if f'id="{name}"' not in sprite} == set()
