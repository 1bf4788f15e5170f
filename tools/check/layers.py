"""The direction of dependency in tools/layers.txt holds for includes and for CMake links."""
import re

from tree import Problem

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"/]+)/([^"]+)"')
DEPENDS = re.compile(r"\bDEPENDS\b([^)]*?)(?:\bLIBRARIES\b|\))", re.S)
LINKED = re.compile(r"\btocsin_([a-z]+)\b")
ORDER = "tools/layers.txt"
# Ports that only some folders may use: whoever runs programs is held to account for them.
RESERVED = {"ports/process/": ("act", "recover")}


def read_order(tree):
    words = []
    for line in tree.lines(ORDER):
        if not line.startswith("#"):
            words += line.split()
    return {name: place for place, name in enumerate(words)}


def _folder_of(path):
    parts = path.split("/")
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    return "apps" if parts[0] == "apps" else None


def _check_include(order, path, number, own, folder, rest):
    if folder not in order:
        return None
    if order[folder] > order[own]:
        return Problem(path, number, f"{own} includes {folder}/, which is to its right in {ORDER}",
                       f"move what is needed to {own} or further left, or turn the dependency around")
    if folder != own and rest.split("/")[0] == "internal":
        return Problem(path, number, f"{own} includes the internals of {folder}",
                       f"use or extend a public header of src/{folder}/")
    for port, users in RESERVED.items():
        if f"{folder}/{rest}".startswith(port) and own not in (port.split("/", maxsplit=1)[0], *users):
            return Problem(path, number, f"{own} includes {port}, which is for {' and '.join(users)} only",
                           "only an executor, behind the policy, runs programs")
    return None


def _check_cmake(tree, order, path, own):
    text = tree.text(path)
    for block in DEPENDS.finditer(text):
        for word in re.finditer(r"[a-z_]+", block[1]):
            number = text.count("\n", 0, block.start(1) + word.start()) + 1
            if word[0] in order and order[word[0]] >= order[own]:
                yield Problem(path, number, f"{own} links {word[0]}, which is not to its left in {ORDER}",
                              "link only folders to the left")
    for word in LINKED.finditer(text):
        if word[1] in order and word[1] != own and order[word[1]] > order[own]:
            number = text.count("\n", 0, word.start()) + 1
            yield Problem(path, number, f"{own} links {word[1]}, which is to its right in {ORDER}",
                          "link only folders to the left")


def check(tree):
    order = read_order(tree)
    unknown = set()
    for path in tree.files:
        own = _folder_of(path)
        if own is None:
            continue
        if own not in order:
            if own not in unknown:
                yield Problem(path, 1, f"src/{own} has no place in {ORDER}", f"add it to {ORDER}")
            unknown.add(own)
        elif path.endswith((".h", ".cc")):
            for number, line in enumerate(tree.lines(path), 1):
                match = INCLUDE.match(line)
                problem = match and _check_include(order, path, number, own, match[1], match[2])
                if problem:
                    yield problem
        elif path.endswith("CMakeLists.txt"):
            yield from _check_cmake(tree, order, path, own)
