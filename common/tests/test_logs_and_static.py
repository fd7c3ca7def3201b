"""A log line carries its level, place and traceback; static names change with their content."""

import logging
import sys

import structlog
from django.core.management import call_command

from common.logs import chain, renderer


def formatted(record: logging.LogRecord) -> str:
    return structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=chain).format(record)


def a_record(message="The clock ticked.", level=logging.WARNING, error=None):
    return logging.LogRecord("realtime.hub", level, "hub.py", 1, message, (), error)


class TestLogs:
    def test_a_line_says_when_where_and_how_bad(self):
        line = formatted(a_record())
        assert 'event="The clock ticked."' in line
        assert "level=warning" in line
        assert "logger=realtime.hub" in line
        assert "timestamp=" in line
        assert "\n" not in line

    def test_an_error_brings_its_traceback(self):
        try:
            raise ValueError("as a test wants it")
        except ValueError:
            line = formatted(a_record(level=logging.ERROR, error=sys.exc_info()))
        assert "ValueError: as a test wants it" in line


class TestStaticFiles:
    def test_modules_import_each_other_by_the_names_of_their_content(self, settings, tmp_path):
        settings.STATIC_ROOT = tmp_path
        settings.STORAGES = {
            **settings.STORAGES,
            "staticfiles": {"BACKEND": "common.staticfiles.ModuleManifestStorage"},
        }
        call_command("collectstatic", interactive=False, verbosity=0)
        (session,) = (path for path in (tmp_path / "js/live").glob("session.*.js") if path.name != "session.js")
        imports = [line for line in session.read_text().splitlines() if line.startswith("import")]
        assert imports
        assert [line for line in imports if '"./apply.js"' in line or '"./poll.js"' in line] == []
        names = [line.split('"./')[1].split('"')[0] for line in imports]
        assert all((tmp_path / "js/live" / name).is_file() for name in names)
