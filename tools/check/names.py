"""Folders say what they are for, and std::regex stays out (its backtracking overflows the stack on hostile input)."""
import re

from tree import Problem

VAGUE = {"util", "utils", "common", "misc", "helper", "helpers"}
REGEX = re.compile(r"\bstd::w?regex\b|#\s*include\s*<regex>")


def check(tree):
    for folder in tree.folders():
        if folder.rsplit("/", 1)[-1] in VAGUE and not folder.startswith("third_party/"):
            yield Problem(folder, 1, "a folder name that says nothing", "name it for what it holds")
    for path in tree.cpp():
        for number, line in enumerate(tree.lines(path), 1):
            if REGEX.search(line.split("//")[0]):
                yield Problem(path, number, "std::regex", "use RE2: linear time, no recursion")
