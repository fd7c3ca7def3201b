"""Static files under names that change with their content."""

from __future__ import annotations

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class ModuleManifestStorage(ManifestStaticFilesStorage):
    """Hashed names that also reach into `import ... from "./x.js"`, so that a module graph is never half old.

    Django ships this switched off; without it a page could run a new live.js with a cached old part of it.
    Ours only: packages bring modules with bare imports (`from "htmx"`), which name no file.
    """

    # One for each step of the longest chain of imports; Django's 5 are not enough.
    max_post_process_passes = 20
    patterns = (
        *ManifestStaticFilesStorage.patterns,
        ("js/*.js", ManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]),  # type: ignore[attr-defined]
    )
