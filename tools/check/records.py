"""Changelog fragments and decision records have their form (changelog.d/README.md, docs/adr/README.md)."""
import re

from tree import Problem

KINDS = ("added", "changed", "fixed", "removed", "security")
FRAGMENT = re.compile(r"^changelog\.d/([a-z0-9-]+)\.([a-z]+)\.md$")
ADR = re.compile(r"^docs/adr/(\d{4})-[a-z0-9-]+\.md$")
INDEX = "docs/adr/README.md"
MAX_FRAGMENT = 600


def _check_fragment(tree, path):
    match = FRAGMENT.match(path)
    if not match or match[2] not in KINDS:
        return Problem(path, 1, "not named as a changelog fragment", f"changelog.d/what-changed.KIND.md, KIND one of {', '.join(KINDS)}")
    text = tree.text(path).strip()
    if not text or not text.endswith((".", "`")) or len(text) > MAX_FRAGMENT or text.startswith(("#", "-", "*")):
        return Problem(path, 1, "not a fragment's text", f"one to three plain sentences for a user, at most {MAX_FRAGMENT} characters")
    return None


def check(tree):
    numbers, index = {}, tree.text(INDEX) if tree.exists(INDEX) else ""
    for path in tree.files:
        if path.startswith("changelog.d/") and path != "changelog.d/README.md":
            problem = _check_fragment(tree, path)
            if problem:
                yield problem
        if not path.startswith("docs/adr/") or path == INDEX:
            continue
        match = ADR.match(path)
        if not match:
            yield Problem(path, 1, "not named as a decision record", "docs/adr/NNNN-what-was-decided.md")
            continue
        if match[1] in numbers:
            yield Problem(path, 1, f"number {match[1]} is taken by {numbers[match[1]]}", "take the next free number")
        numbers[match[1]] = path
        name = path.rsplit("/", 1)[-1]
        if f"({name})" not in index:
            yield Problem(INDEX, 1, f"does not list {name}", f"add a row with [{match[1]}]({name})")
        if not tree.lines(path)[0].startswith("# "):
            yield Problem(path, 1, "does not open with its decision as a heading", "# Decision in one sentence")
