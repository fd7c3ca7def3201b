"""What a live page may and may not do to the person before it, and what a change costs on the wire."""

from __future__ import annotations

import re
import time

import pytest
from django.db import transaction
from django.urls import reverse
from playwright.sync_api import Page, expect

from e2e.live import Desk, write
from e2e.people import is_live
from realtime.models import ServerProcess
from realtime.tests.board.models import Card, Note, Pulse


def card(board, title: str, rank: int = 1, **fields) -> Card:
    return Card.objects.create(board=board, title=title, rank=rank, **fields)


def change(one: Card, **fields) -> None:
    for name, value in fields.items():
        setattr(one, name, value)
    one.save(update_fields=list(fields))


def titles(page: Desk) -> list[str]:
    return page.cards.locator("[data-cell=title]").all_inner_texts()


# --- Nothing is taken from under the hand ---------------------------------------------------------


def focus(page: Page, one: Card) -> None:
    page.get_by_label(f"Remark {one.pk}").focus()


def type_words(page: Page, one: Card) -> None:
    page.get_by_label(f"Remark {one.pk}").fill("Half typed")
    page.get_by_role("textbox", name="Text", exact=True).focus()


def select(page: Page, one: Card) -> None:
    page.locator(f"#board-card-{one.pk} [data-cell=title]").select_text()


def open_menu(page: Page, one: Card) -> None:
    page.get_by_text(f"Menu of {one.pk}").click()


def leave(page: Page, one: Card) -> None:
    page.get_by_role("textbox", name="Text", exact=True).focus()


def clear(page: Page, one: Card) -> None:
    page.get_by_label(f"Remark {one.pk}").fill("")
    leave(page, one)


def deselect(page: Page, one: Card) -> None:
    page.locator("main h1").click()


def close_menu(page: Page, one: Card) -> None:
    page.keyboard.press("Escape")


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        pytest.param(focus, leave, id="the caret"),
        pytest.param(type_words, clear, id="typed words"),
        pytest.param(select, deselect, id="a selection"),
        pytest.param(open_menu, close_menu, id="an open menu"),
    ],
)
def test_a_fragment_in_use_waits_and_the_others_do_not(desk, alice, board, begin, end):
    mine, other = card(board, "In use", 1), card(board, "Not in use", 2)
    page = desk(alice).live()
    begin(page.page, mine)

    change(mine, title="Changed meanwhile")
    change(other, title="Changed at once")
    page.sees("Changed at once")
    expect(page.card(mine)).to_contain_text("In use")

    end(page.page, mine)
    page.sees("Changed meanwhile").is_true()


def test_what_is_typed_outside_fragments_survives_every_push_and_refresh(desk, alice, board):
    one = card(board, "A card")
    page = desk(alice).live()
    text = page.page.get_by_role("textbox", name="Text", exact=True)
    text.press_sequentially("Half ty")

    with transaction.atomic():
        change(one, state="done")
        write(board, "A note")
    page.sees("A note")
    expect(page.page.locator("#board-summary")).to_have_text("1 done")
    text.press_sequentially("ped")

    expect(text).to_have_value("Half typed")
    expect(text).to_be_focused()
    page.is_true()


def test_the_focus_on_a_link_in_a_fragment_comes_back_after_its_swap(desk, alice, board):
    one = card(board, "A card")
    page = desk(alice).live()
    summary = page.card(one).locator("summary")
    summary.focus()

    change(one, title="Another title")

    page.sees("Another title")
    assert page.card(one).evaluate("(element) => element.contains(document.activeElement)")


def test_a_removed_fragment_leaves_the_focus_in_its_list(desk, alice, board):
    one = card(board, "A card")
    page = desk(alice).live()
    page.card(one).locator("summary").focus()

    one.delete()
    write(board, "After the removal")

    page.sees("After the removal").is_true()
    expect(page.page.locator("#board-card-list")).to_be_focused()


# --- Lists ----------------------------------------------------------------------------------------


@pytest.mark.smoke
def test_new_items_stand_where_their_order_says_and_move_with_it(desk, alice, board):
    middle = card(board, "Middle", 50)
    page = desk(alice).live()

    last = card(board, "Last", 90)
    first = card(board, "First", 10)
    with transaction.atomic():
        card(board, "Between", 70)
        card(board, "Second", 20)
    page.sees("Between").sees("Second")
    assert titles(page) == ["First", "Second", "Middle", "Between", "Last"]
    page.is_true()

    change(first, rank=95)
    change(last, rank=15)
    middle.delete()
    write(board, "After the moves")

    page.sees("After the moves").is_true()
    assert titles(page) == ["Last", "Second", "Between", "First"]


def test_items_of_equal_order_stand_as_in_a_fresh_load(desk, alice, board):
    cards = [card(board, f"Card {number}", rank=7) for number in range(3)]
    page = desk(alice).live()

    for number in range(3, 12):  # their ids pass from 9 to 10 somewhere
        cards.append(card(board, f"Card {number}", rank=7))
    change(cards[0], rank=8)
    change(cards[1], title="Changed in its place")
    change(cards[0], rank=7, title="Back in its place")

    page.sees("Changed in its place").sees("Back in its place").is_true()


def test_nothing_shifts_under_the_pointer_until_it_rests(desk, alice, board):
    # Precondition: the pointer moves over the list.
    for rank in (20, 40):
        card(board, f"Card {rank}", rank)
    page = desk(alice).live()
    box = page.page.locator("#board-card-list").bounding_box()

    def move() -> bool:
        for x in (20, 25, 30):
            page.page.mouse.move(box["x"] + x, box["y"] + 5)
        return bool(page.wire.bringing("On top"))

    move()
    card(board, "On top", 10)
    page.until(move, "the new card has arrived")
    move()
    assert titles(page) == ["Card 20", "Card 40"]

    page.sees("On top").is_true()


# --- News -----------------------------------------------------------------------------------------


def test_pushed_news_are_toasts_three_at_most_then_counted(desk, alice, board):
    old = card(board, "Old news", 1, news="Known before the page")
    page = desk(alice).live()
    toasts = page.page.locator("#toasts .toast-x")

    for number in range(1, 6):
        card(board, f"Card {number}", number, news=f"News {number}")
        page.sees(f"Card {number}")
    change(old, title="The same news")
    page.sees("The same news")

    expect(toasts).to_have_count(4)
    assert toasts.locator(":first-child").all_inner_texts() == ["2 more changes", "News 1", "News 2", "News 3"]
    expect(toasts.nth(1).get_by_role("link")).to_have_attribute("href", re.compile(r"^#board-card-\d+$"))
    page.is_true()


def test_a_hidden_tab_counts_its_news_in_the_title(desk, alice, board):
    page = desk(alice).live()
    page.hide()

    card(board, "One", 1, news="News 1")
    card(board, "Two", 2, news="News 2")
    expect(page.page).to_have_title("(2) Kitchen")
    page.hide(False)

    expect(page.page).to_have_title("Kitchen")


def test_what_changed_flashes_once_and_not_with_reduced_motion(desk, alice, bob, board):
    one = card(board, "A card")
    lively = desk(alice, reduced_motion="no-preference").live()
    calm = desk(bob, reduced_motion="reduce").live()

    change(one, title="Changed")
    write(board, "Later")

    for page in (lively, calm):
        page.sees("Changed").sees("Later")
    lively.until(lambda: "title" in lively.page.evaluate("flashes"), "the flash")
    assert "state" not in lively.page.evaluate("flashes")
    assert calm.page.evaluate("flashes") == []
    expect(lively.page.locator(".live-flash")).to_have_count(0)


# --- The end of a page ----------------------------------------------------------------------------


def test_signing_out_in_one_tab_ends_the_other_and_nobody_elses(desk, alice, bob, board):
    mine, bobs, elsewhere = desk(alice).live(), desk(bob).live(), desk(alice).live()
    tab = mine.page.context.new_page()
    tab.goto(reverse("profile"))
    is_live(tab)

    tab.locator("summary:has-text('Your menu')").click()
    tab.locator(".menu").get_by_role("button", name="Sign out").click()

    expect(mine.page).to_have_url(re.compile(re.escape(reverse("account_login"))))
    write(board, "Without that tab")
    for page in (bobs, elsewhere):
        page.sees("Without that tab").live().is_true()


def test_deactivation_ends_every_page_of_a_person_within_two_seconds(desk, alice, bob, board):
    pages, bobs = [desk(alice).live(), desk(alice).live()], desk(bob).live()

    alice.is_active = False
    alice.save(update_fields=["is_active"])
    saved_at = time.monotonic()

    for page in pages:
        page.until(lambda page=page: not page.wire.open, "the socket is closed")
        assert time.monotonic() - saved_at < 2
    for page in pages:
        expect(page.page).to_have_url(re.compile(re.escape(reverse("account_login"))))
    write(board, "Without Alice")
    bobs.sees("Without Alice").is_true()


def test_what_is_no_longer_yours_leaves_the_page(desk, alice, bob, board, console):
    console.allow("status of 404")
    one = card(board, "Secret of the board")
    alices, bobs = desk(alice).live(), desk(bob).live()
    open_menu(alices.page, one)  # what is in use waits for changes, never for this

    board.people.remove(alice)
    write(board, "Not for Alice")

    bobs.sees("Not for Alice").is_true()
    expect(alices.page.locator("main h1")).to_have_text("This is no longer yours to see.")
    expect(alices.page.locator("main [data-live]")).to_have_count(0)
    write(board, "Nor this")
    bobs.sees("Nor this")
    shown = alices.page.content()
    assert not [text for text in ("Secret of the board", "Not for Alice", "Nor this") if text in shown]
    assert not alices.wire.bringing("Not for Alice")


def open_sockets() -> int:
    """How many sockets the site's process has open: the browser does not say when it leaves a page."""
    newest = ServerProcess.objects.latest("started_at")
    return int(newest.counters["callout_live_sockets_open"])


# --- Back and forth -------------------------------------------------------------------------------


def test_a_page_that_comes_back_by_the_back_button_is_true(desk, alice, board):
    page = desk(alice).live()
    page.page.get_by_role("link", name="Only the notes").click()
    is_live(page.page)
    write(board, "While on the other page")
    expect(page.page.get_by_text("While on the other page")).to_be_visible()

    page.page.go_back()

    page.live().sees("While on the other page").is_true()
    page.until(lambda: open_sockets() == 1, "the server has one socket")


def test_a_page_out_of_the_back_forward_cache_asks_for_what_it_missed(desk, alice, bob, board):
    # Precondition: the page is put away and taken out again as the browser does it, with its memory kept.
    page, witness = desk(alice).live(), desk(bob).live()
    page.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    page.until(lambda: not page.wire.open, "the socket is let go")
    write(board, "While put away")
    witness.sees("While put away")
    assert page.notes.count() == 1

    page.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    page.sees("While put away").live().is_true()
    assert len(page.wire.sockets) == 2
    assert page.wire.at_once == 1


# --- What a change costs --------------------------------------------------------------------------


def test_a_page_has_one_socket_and_a_transaction_is_one_frame(site, desk, alice, bob, board):
    # Precondition: pages on two processes; the transaction is of a third, and touches two topics.
    pages = [desk(alice).live(), desk(bob, url=site.spawn().url).live()]
    beat = Pulse.objects.get(board=board)

    for number in range(1, 6):
        with transaction.atomic():
            for part in "abc":
                Note.objects.create(board=board, text=f"Note {number}{part}")
            card(board, f"Card {number}", number)
            beat.value = number
            beat.save(update_fields=["value"])
        for page in pages:
            page.sees(f"Note {number}c").sees(f"Card {number}")

    for page in pages:
        page.is_true()
        assert len(page.wire.sockets) == 1
        assert page.wire.polls == []
        for number in range(1, 6):
            frames = page.wire.bringing(f"Note {number}") + page.wire.bringing(f"Card {number}")
            assert len(frames) == 2 and frames[0] is frames[1]
        assert len(page.wire.of("f")) == 5


def test_a_change_by_the_page_s_own_process_is_one_frame_too(desk, alice, bob, board):
    pages = [desk(alice).live(), desk(bob).live()]

    pages[0].page.get_by_role("textbox", name="Text", exact=True).fill("By the form")
    pages[0].page.get_by_role("button", name="Add").click()

    for page in pages:
        page.live().sees("By the form").is_true()
    assert len(pages[1].wire.of("f")) == len(pages[1].wire.bringing("By the form")) == 1
    assert len(pages[1].wire.sockets) == 1
