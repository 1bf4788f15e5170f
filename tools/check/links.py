"""No dead links: relative links and anchors in Markdown, and paths of documents named anywhere in the tree."""
import os
import re

import markdown
from tree import Problem

LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)|^\s*\[[^\]]+\]:\s*(\S+)")
DOCUMENT = re.compile(r"(?<![\w./-])((?:docs|src|tools|tests|bench|cmake|changelog\.d|third_party)/[\w./-]*\w\.(?:md|txt|py|sh|json))\b")
PLACEHOLDER = re.compile(r"NNNN|NAME|…")


def _check_link(tree, path, number, target):
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    file, _, anchor = target.partition("#")
    full = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
    if full.startswith(".."):
        return Problem(path, number, f"link out of the tree: {target}", "link to a file of this repository")
    if not tree.exists(full):
        return Problem(path, number, f"dead link: {target}", f"write {full}, or correct the link")
    if anchor and full.endswith(".md") and anchor not in markdown.anchors(tree.lines(full)):
        return Problem(path, number, f"dead anchor: {target}", f"no heading of {full} has it")
    return None


def check(tree):
    for path in tree.markdown():
        for number, line, language in markdown.blocks(tree.lines(path)):
            if language is None:
                for match in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
                    problem = _check_link(tree, path, number, match[1] or match[2])
                    if problem:
                        yield problem
    for path in tree.written(".md", ".cc", ".h", ".cmake", ".py", ".sh", "CMakeLists.txt"):
        if "/check/" in path:
            continue
        for number, line in enumerate(tree.lines(path), 1):
            for match in DOCUMENT.finditer(line):
                if not tree.exists(match[1]) and not PLACEHOLDER.search(match[1]):
                    yield Problem(path, number, f"names {match[1]}, which does not exist", "write it, or correct the name")
