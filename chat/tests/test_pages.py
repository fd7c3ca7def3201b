"""The pages of messages, read and written with plain forms as a browser without JavaScript does, and by the script."""

from __future__ import annotations

import re
from io import BytesIO
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from accounts.models import User
from bookings.actions import release, withdraw_bid
from bookings.models import Bid
from bookings.tests import make
from chat import actions
from chat.models import Attachment, Conversation, Message, Participant
from realtime.bulk import bulk_create

pytestmark = pytest.mark.django_db
SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def web(client: Client, alice: User) -> Client:
    """Alice at her browser."""
    client.force_login(alice)
    return client


@pytest.fixture
def bid(alice: User, bob: User) -> Bid:
    """Bob's offer on a job of Alice's."""
    now = timezone.now()
    window = {"window_start": now + 24 * make.HOUR, "window_end": now + 28 * make.HOUR}
    return make.offer(make.job(alice, now=now, **window), bob, 60, now=now)


@pytest.fixture
def thread(bid: Bid, alice: User) -> Conversation:
    """Alice asks about it."""
    return actions.ask_about(bid, by=alice)


def as_user(user: User) -> Client:
    """A browser of `user`."""
    client = Client()
    client.force_login(user)
    return client


def say(thread: Conversation, by: User, text: str = "Hello") -> Message:
    """Something said, through the action."""
    return actions.send_message(thread, by=by, id=uuid4(), text=text)


def photo(name: str = "tap.jpg") -> SimpleUploadedFile:
    """A small picture."""
    out = BytesIO()
    Image.new("RGB", (60, 40), "teal").save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue(), "image/jpeg")


def filled(thread: Conversation, by: User, number: int) -> None:
    """A long conversation, written into the table at once."""
    now = timezone.now()
    rows = [
        Message(conversation=thread, seq=seq, author=by, side="technician", text=f"Line {seq} of a long talk", at=now)
        for seq in range(thread.last_seq + 1, number + 1)
    ]
    bulk_create(Message, rows)
    thread.last_seq = number
    thread.save(update_fields=["last_seq"])


def url(thread: Conversation, rest: str = "") -> str:
    """An address of the conversation."""
    return f"/messages/{thread.pk}/{rest}"


def posted(client: Client, thread: Conversation, text: str = "Hello", script: bool = False, **more: object):
    """A message sent by the form, or by the page's script."""
    fields = {"id": str(uuid4()), "text": text, **more}
    return client.post(url(thread, "send/"), fields, headers=SCRIPT if script else {})


class TestReading:
    def test_a_conversation_shows_what_was_said_and_the_box_to_write_in(self, web, thread, bob) -> None:
        say(thread, bob, "I bring the parts")
        page = web.get(url(thread)).content.decode()
        assert "I bring the parts" in page and 'name="text"' in page and f'action="{url(thread, "send/")}"' in page
        assert 'data-side="customer"' in page and f'href="/jobs/{thread.bid.booking_id}/"' in page
        assert page.count("<h1") == 1

    def test_the_list_has_a_row_with_what_is_unread(self, web, thread, bob) -> None:
        say(thread, bob, "I bring the parts")
        page = web.get("/messages/").content.decode()
        assert "I bring the parts" in page and f'href="{url(thread)}"' in page and "1<span" in page

    def test_an_empty_list_says_what_it_is_for(self, web) -> None:
        page = web.get("/messages/").content.decode()
        assert "No messages yet" in page and "Write to the desk" in page

    def test_older_messages_are_a_page_without_javascript_and_a_piece_with_it(self, web, thread, bob) -> None:
        filled(thread, bob, 70)
        page = web.get(url(thread)).content.decode()
        assert "Line 41 " in page and "Line 40 " not in page and "older/?before=41" in page
        older = web.get(url(thread, "older/?before=41")).content.decode()
        assert "Line 40 " in older and "Line 11 " in older and "Line 10 " not in older and "<h1" in older
        piece = web.get(url(thread, "older/?before=11"), headers=SCRIPT)
        assert piece["Live-Cursor"] and piece.content.decode().startswith("<ol")
        assert "Line 1 " in piece.content.decode() and "data-older" not in piece.content.decode()

    @pytest.mark.parametrize("number", ["", "x", "-1", "1" * 20, "٣"])
    def test_a_number_that_is_none_is_not_found(self, web, thread, number) -> None:
        assert web.get(url(thread, "older/"), {"before": number}).status_code == 404

    def test_ten_thousand_messages_open_in_a_few_queries_and_little_html(self, web, alice, bob, bid) -> None:
        make.accept(bid, now=timezone.now())
        thread = actions.ask_about(bid, by=alice)
        filled(thread, bob, 10_000)
        web.get(url(thread))
        with CaptureQueriesContext(connection) as seen:
            page = web.get(url(thread)).content
        assert len(seen) <= 12, "\n".join(query["sql"][:150] for query in seen)
        assert len(page) < 60_000

    def test_the_quick_replies_come_by_themselves(self, web, frank) -> None:
        actions.add_quick_reply(role="customer", text="See you then", by=frank)
        answer = web.get("/messages/replies/", headers=SCRIPT)
        assert 'data-reply="See you then"' in answer.content.decode() and answer["Live-Cursor"]

    def test_the_desk_has_pages_of_its_own(self, thread, frank) -> None:
        desk = as_user(frank)
        assert desk.get("/messages/")["Location"] == "/desk/messages/"
        assert desk.get(url(thread))["Location"] == f"/desk/messages/{thread.pk}/"


class TestWriting:
    def test_a_plain_form_says_it_and_comes_back(self, web, thread) -> None:
        answer = posted(web, thread, "Do you bring the parts?")
        assert (answer.status_code, answer["Location"]) == (303, url(thread))
        assert Message.objects.get().text == "Do you bring the parts?"

    def test_the_form_of_the_page_has_an_id_so_that_a_double_tap_says_it_once(self, web, thread) -> None:
        page = web.get(url(thread)).content.decode()
        minted = re.search(r'name="id" value="([^"]+)"', page)
        assert minted
        for _ in range(2):
            assert posted(web, thread, id=minted[1]).status_code == 303
        assert Message.objects.count() == 1

    def test_the_script_gets_the_message_as_a_push_would_bring_it(self, web, thread) -> None:
        pk = str(uuid4())
        piece = posted(web, thread, "Hi", script=True, id=pk).json()
        assert piece["id"] == f"chat-message-{pk}" and piece["live"] == "chat.message" and int(piece["v"])
        assert piece["topic"] == f"chat.{thread.pk}" and f'id="chat-message-{pk}"' in piece["html"]

    def test_a_photo_goes_without_words(self, web, thread, media) -> None:
        assert posted(web, thread, "", file=photo()).status_code == 303
        kept = Attachment.objects.get()
        assert f"/messages/files/{kept.pk}/thumb/" in web.get(url(thread)).content.decode()

    @pytest.mark.parametrize(("text", "status"), [("", 422), ("x" * 4001, 422)])
    def test_what_is_refused_comes_back_with_its_text(self, web, thread, text, status) -> None:
        answer = posted(web, thread, text)
        page = answer.content.decode()
        assert answer.status_code == status and "data-refusal" in page and f">{text}</textarea>" in page
        assert not Message.objects.exists()

    def test_the_script_gets_the_refusal_alone(self, web, thread) -> None:
        answer = posted(web, thread, "", script=True)
        assert answer.status_code == 422 and "data-refusal" in answer.content.decode()
        assert "<html" not in answer.content.decode()

    def test_too_fast_says_how_long_to_wait_and_keeps_the_text(self, web, thread, settings) -> None:
        settings.CHAT = {"A_MINUTE": 1}
        posted(web, thread, "One")
        answer = posted(web, thread, "Two")
        assert answer.status_code == 429 and int(answer["Retry-After"]) > 0
        assert ">Two</textarea>" in answer.content.decode()

    def test_a_closed_conversation_refuses_with_its_sentence_and_the_text(self, web, thread, bob) -> None:
        withdraw_bid(thread.bid, by=bob)
        answer = posted(web, thread, "Are you there?")
        assert answer.status_code == 409 and ">Are you there?</textarea>" in answer.content.decode()

    def test_a_file_too_large_is_refused_with_the_text_kept(self, web, thread, media, monkeypatch) -> None:
        monkeypatch.setattr("common.uploads.clean_image.__kwdefaults__", {"most_bytes": 10, "side": 100})
        answer = posted(web, thread, "Look", file=photo())
        assert answer.status_code == 413 and ">Look</textarea>" in answer.content.decode()

    @pytest.mark.parametrize("where", ["thread", "desk"])
    def test_a_damaged_form_is_refused_with_the_text_kept_and_mended(self, web, thread, where) -> None:
        address = "/messages/desk/" if where == "desk" else f"{url(thread)}send/"
        answer = web.post(address, {"id": "not-an-id", "text": "Are you there?"})
        assert answer.status_code == 422 and ">Are you there?</textarea>" in answer.content.decode()
        assert 'name="id" value="not-an-id"' not in answer.content.decode()


class TestBeginning:
    def test_the_first_question_makes_the_conversation(self, web, bid) -> None:
        page = web.get(f"/messages/about/{bid.pk}/").content.decode()
        assert "Ask Bob a question" in page and not Conversation.objects.exists()
        answer = web.post(f"/messages/about/{bid.pk}/", {"id": str(uuid4()), "text": "Parts included?"})
        thread = Conversation.objects.get()
        assert (answer.status_code, answer["Location"]) == (303, url(thread))
        assert web.get(f"/messages/about/{bid.pk}/")["Location"] == url(thread)

    def test_an_empty_question_makes_none(self, web, bid) -> None:
        answer = web.post(f"/messages/about/{bid.pk}/", {"id": str(uuid4()), "text": " "})
        assert answer.status_code == 422 and not Conversation.objects.exists()

    def test_writing_to_the_desk(self, web, alice) -> None:
        assert "Write to the desk" in web.get("/messages/desk/").content.decode()
        answer = web.post("/messages/desk/", {"id": str(uuid4()), "text": "Where is my invoice?"})
        thread = Conversation.objects.get(person=alice)
        assert answer["Location"] == url(thread) and web.get("/messages/desk/")["Location"] == url(thread)

    def test_the_offers_have_a_way_to_ask(self, web, bid, bob) -> None:
        link = f'href="/messages/about/{bid.pk}/"'
        assert link in web.get(f"/jobs/{bid.booking_id}/").content.decode()
        assert link in as_user(bob).get(f"/jobs/{bid.booking_id}/").content.decode()

    def test_the_job_pages_hold_the_talk(self, web, bid, bob, alice) -> None:
        make.accept(bid, now=timezone.now())
        say(actions.ask_about(bid, by=alice), bob, "See you tomorrow")
        for browser in (web, as_user(bob)):
            page = browser.get(f"/jobs/{bid.booking_id}/").content.decode()
            assert "data-chat " in page and "See you tomorrow" in page and page.count("<h1") == 1


class TestDeleting:
    def test_the_author_takes_it_back_and_a_tombstone_stays(self, web, thread, alice) -> None:
        said = say(thread, alice, "Wrong number")
        assert "Delete the message?" in web.get(f"/messages/message/{said.pk}/delete/").content.decode()
        assert web.post(f"/messages/message/{said.pk}/delete/").status_code == 303
        page = web.get(url(thread)).content.decode()
        assert "Wrong number" not in page and "Message deleted" in page

    def test_the_other_side_may_not(self, thread, alice, bob) -> None:
        said = say(thread, alice)
        assert as_user(bob).post(f"/messages/message/{said.pk}/delete/").status_code == 403


class TestFiles:
    def test_a_photo_is_shown_and_a_browser_asks_again_each_time(self, web, thread, media) -> None:
        posted(web, thread, "", file=photo('ta"p\r\n.jpg'))
        kept = Attachment.objects.get()
        for rest in ("", "thumb/"):
            answer = web.get(f"/messages/files/{kept.pk}/{rest}")
            assert answer.status_code == 200 and answer["Content-Type"] == "image/jpeg"
            assert answer["X-Content-Type-Options"] == "nosniff" and answer["Cache-Control"] == "private, no-cache"
            assert answer["Content-Disposition"].startswith("inline") and "\n" not in answer["Content-Disposition"]
            assert "sandbox" in answer["Content-Security-Policy"]
            again = web.get(f"/messages/files/{kept.pk}/{rest}", headers={"If-None-Match": answer["ETag"]})
            assert again.status_code == 304 and not again.content

    def test_a_pdf_is_saved_and_has_no_thumb(self, web, thread, media) -> None:
        body = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        body += b"trailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"
        posted(web, thread, "", file=SimpleUploadedFile("quote.pdf", body, "application/pdf"))
        kept = Attachment.objects.get()
        answer = web.get(f"/messages/files/{kept.pk}/")
        assert answer["Content-Disposition"].startswith("attachment") and "quote.pdf" in answer["Content-Disposition"]
        assert web.get(f"/messages/files/{kept.pk}/thumb/").status_code == 404

    def test_a_file_is_not_called_by_a_number_that_is_hidden(self, web, bid, thread, media) -> None:
        posted(web, thread, "", file=photo("Ring 020 7946 0203.jpg"))
        addresses = [f"/messages/files/{Attachment.objects.get().pk}/{rest}" for rest in ("", "thumb/")]
        assert not [each for each in addresses if "7946" in web.get(each)["Content-Disposition"]]
        make.accept(bid, now=timezone.now())
        assert all("7946" in web.get(each)["Content-Disposition"] for each in addresses)

    def test_whoever_lost_the_conversation_gets_no_file_not_even_unchanged(self, web, bid, alice, bob, media) -> None:
        session = make.accept(bid, now=timezone.now())
        thread = actions.ask_about(bid, by=alice)
        posted(web, thread, "", file=photo())
        kept, bobs = Attachment.objects.get(), as_user(bob)
        etag = bobs.get(f"/messages/files/{kept.pk}/")["ETag"]
        release(session, by=bob, reason="Ill")
        for rest in ("", "thumb/"):
            answer = bobs.get(f"/messages/files/{kept.pk}/{rest}", headers={"If-None-Match": etag})
            assert answer.status_code == 404
        assert bobs.get(url(thread)).status_code == 404

    def test_a_deleted_message_takes_its_files_along(self, web, thread, alice, media) -> None:
        posted(web, thread, "", file=photo())
        kept = Attachment.objects.get()
        web.post(f"/messages/message/{kept.message_id}/delete/")
        assert web.get(f"/messages/files/{kept.pk}/").status_code == 404


class TestStrangers:
    def test_they_find_nothing_and_change_nothing(self, thread, alice, bob, charlie, dora, ed, web, media) -> None:
        posted(web, thread, "Ours", file=photo())
        kept, said = Attachment.objects.get(), Message.objects.get()
        pages = [url(thread), url(thread, "older/?before=9"), f"/messages/message/{said.pk}/delete/"]
        pages += [
            f"/messages/files/{kept.pk}/",
            f"/messages/files/{kept.pk}/thumb/",
            f"/messages/about/{thread.bid_id}/",
        ]
        for stranger in (charlie, dora, ed):
            browser = as_user(stranger)
            assert [browser.get(page).status_code for page in pages] == [404] * len(pages)
            assert posted(browser, thread).status_code == 404
            assert browser.post(f"/messages/message/{said.pk}/delete/").status_code == 404
            assert "Ours" not in browser.get("/messages/").content.decode()
        assert [Client().get(page).status_code for page in pages] == [302] * len(pages)
        assert Message.objects.get().deleted_at is None and Participant.objects.filter(user=charlie).count() == 0
