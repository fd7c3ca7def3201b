"""House rules that no off-the-shelf linter knows. Prints `file:line: sentence` and fails when there is one.

1. Nothing but `realtime/` opens the channel layer or sends to a group.
2. No write on a live model that sends no signal (`update`, `bulk_create`, ...) outside `realtime/`: pages
   would not hear of it. What cannot be seen from the source is refused at run time by `LiveQuerySet`.
3. No inline script, style or handler in templates: the content security policy refuses them.
4. Every vendored file is listed with its version and licence.
5. No secret and no path of somebody's machine.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = "static/vendor/"
Finding = tuple[str, int, str]

LAYER = {"get_channel_layer", "channel_layers", "group_send"}
SILENT = {"update", "bulk_create", "bulk_update", "aupdate", "abulk_create", "abulk_update", "_raw_delete"}

TEMPLATE_RULES = {
    r"<script\b(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")": "inline script; put it into static/js",
    r"<style\b": "inline style sheet; put it into static/css",
    r"<[a-z][^<>]*\sstyle\s*=": "style attribute; use a class",
    r"<[a-z][^<>]*\son[a-z]+\s*=\s*[\"']": "inline event handler; listen from static/js",
    r"\shx-on[:\s=]": "hx-on needs eval, which the policy refuses",
    r"[\"']\s*(javascript|js):": "script in an attribute, which the policy refuses",
    r"<(script|img|iframe)\b[^>]*\ssrc=\"(https?:)?//": "something from another host; vendor it",
    r"<link\b[^>]*\shref=\"(https?:)?//": "something from another host; vendor it",
}
TEXT_RULES = {
    r"-----BEGIN [A-Z ]*PRIVATE KEY": "a private key",
    r"\b(AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|sk_live_[0-9a-zA-Z]{16,}|xox[bp]-[0-9A-Za-z-]{20,})": "a secret",
    r"(?<![\w.])/(home|Users)/[a-z][\w.-]*/": "a path of somebody's machine",
    r"(?<![\w./])/(root|work|farm)/[a-z]": "a path of somebody's machine",
}


def project_files() -> list[str]:
    """Every file of the project that git would keep, by its path from the root."""
    # In CI the checkout may belong to another user, whom git would not trust.
    command = ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return sorted(name for name in set(listed.split("\0")) if name and (ROOT / name).is_file())


def parsed(files: list[str]) -> dict[str, ast.Module]:
    """The syntax trees of our own Python files."""
    return {name: ast.parse((ROOT / name).read_text(), name) for name in files if name.endswith(".py")}


def is_test(name: str) -> bool:
    """Whether the file is a test or serves tests only; there the wire and the database may be touched directly."""
    return "/tests/" in name or name.startswith(("e2e/", "bench/", "tools/")) or Path(name).name == "conftest.py"


def base_names(node: ast.ClassDef) -> set[str]:
    """The last words of a class's bases, `LiveModel` of `models.LiveModel` too."""
    return {base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in node.bases}


def live_classes(trees: dict[str, ast.Module]) -> dict[str, ast.ClassDef]:
    """The classes that inherit from `LiveModel`, near or far."""
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    live: dict[str, ast.ClassDef] = {}
    while more := {c.name: c for c in classes if c.name not in live and base_names(c) & {"LiveModel", *live}}:
        live |= more
    return live


def reverse_names(live: dict[str, ast.ClassDef]) -> set[str]:
    """The `related_name`s under which other objects reach rows of live models."""
    words = (word for node in live.values() for word in ast.walk(node) if isinstance(word, ast.keyword))
    values = (w.value.value for w in words if w.arg == "related_name" and isinstance(w.value, ast.Constant))
    return {str(value) for value in values} - {"+"}


def chain(node: ast.expr) -> list[str]:
    """The names in `Bid.objects.filter(...).update`, outermost first: Bid, objects, filter, update."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Call | ast.Subscript):
            node = node.func if isinstance(node, ast.Call) else node.value
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        else:
            return [*([node.id] if isinstance(node, ast.Name) else []), *names[::-1]]


def silent_writes(trees: dict[str, ast.Module]) -> Iterator[Finding]:
    """Rule 2."""
    live = live_classes(trees)
    reverse = reverse_names(live)
    for name, tree in trees.items():
        if name.startswith("realtime/") or is_test(name):
            continue
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            words = chain(node.func)
            if len(words) > 2 and words[-1] in SILENT and (live.keys() & words[:-1] or reverse & set(words[1:-1])):
                yield (
                    name,
                    node.lineno,
                    f"{words[0]}...{words[-1]}() on a live model reaches no page; use realtime.bulk",
                )


def layer_uses(trees: dict[str, ast.Module]) -> Iterator[Finding]:
    """Rule 1."""
    for name, tree in trees.items():
        if name.startswith("realtime/") or is_test(name):
            continue
        for node in ast.walk(tree):
            imported = {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()
            used = {node.attr} if isinstance(node, ast.Attribute) else imported
            for word in sorted(used & LAYER):
                yield name, getattr(node, "lineno", 0), f"{word}: only realtime/ may use the channel layer"


def matches(name: str, text: str, rules: dict[str, str]) -> Iterator[Finding]:
    """A finding for each place in `text` where one of `rules` matches."""
    for pattern, sentence in rules.items():
        for found in re.finditer(pattern, text, re.IGNORECASE if rules is TEMPLATE_RULES else 0):
            yield name, text.count("\n", 0, found.end()) + 1, sentence


def texts(files: list[str]) -> Iterator[Finding]:
    """Rules 3 and 5, and the source maps that break `collectstatic`."""
    for name in files:
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue
        if name.endswith(".html"):
            without_comments = re.sub(
                r"{#.*?#}|<!--.*?-->", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL
            )
            yield from matches(name, without_comments, TEMPLATE_RULES)
        if name.startswith(VENDOR) and name.endswith((".css", ".js")):
            yield from matches(name, text, {r"[#@] sourceMappingURL=": "source map of a file that is not here; cut it"})
        elif not name.startswith(VENDOR):
            yield from matches(name, text, TEXT_RULES)


def unlisted_vendors(files: list[str]) -> Iterator[Finding]:
    """Rule 4: each file in static/vendor, or a folder that holds it, is named in the listing there."""
    vendored = [name.removeprefix(VENDOR) for name in files if name.startswith(VENDOR)]
    listing = next((name for name in vendored if Path(name).stem.lower() in {"readme", "vendor", "vendored"}), None)
    if vendored and listing is None:
        yield VENDOR, 1, "no README.md here says what is vendored, with version and licence"
        return
    listed = (ROOT / VENDOR / listing).read_text() if listing else ""
    for name in vendored:
        folders = [f"{parent}/" for parent in Path(name).parents if str(parent) != "."]
        if name != listing and not any(word in listed for word in (Path(name).name, *folders)):
            yield VENDOR + name, 1, f"not listed in {VENDOR}{listing}"


def main() -> int:
    """Print every finding; 1 when there is one."""
    files = project_files()
    trees = parsed(files)
    found = [*layer_uses(trees), *silent_writes(trees), *texts(files), *unlisted_vendors(files)]
    for name, line, sentence in sorted(found):
        print(f"{name}:{line}: {sentence}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
