"""Commands in the documentation exist: every ./x and tocsin command quoted in README.md, CONTRIBUTING.md, the guides
and the folder READMEs is looked up in the program's own help, flags included. A block of commands after the comment
<!-- check: run --> is run from the root, and each of its commands must succeed within 20 seconds."""
import os
import re
import shlex
import subprocess

import markdown
from tree import Problem

PAGES = re.compile(r"^(README|ARCHITECTURE|CONTRIBUTING)\.md$|^docs/(guides/.*|README)\.md$|^src/[^/]+/README\.md$")
INLINE = re.compile(r"`((?:\./x|tocsin)(?: [^`]*)?)`")
RUN = "<!-- check: run -->"
SUBCOMMAND = re.compile(r"^[a-z][a-z-]*$")
FLAG = re.compile(r"^--?[a-z][\w-]*")


class Programs:
    """Asks the programs for their help, once each."""

    def __init__(self, tree, binary):
        self.tree, self.binary, self._help = tree, binary, {}

    def help(self, words):
        key = tuple(words)
        if key not in self._help:
            out = subprocess.run([self.binary, *words, "--help"], capture_output=True, text=True, timeout=20,
                                 stdin=subprocess.DEVNULL, check=False)
            self._help[key] = out.stdout if out.returncode == 0 else None
        return self._help[key]

    def x_help(self):
        if "x" not in self._help:
            out = subprocess.run(["./x", "help"], cwd=self.tree.root, capture_output=True, text=True, check=False)
            self._help["x"] = out.stdout
        return self._help["x"]


def quoted(lines):
    """Yields (line number, command) for commands in code blocks and in inline code."""
    pending = ""
    for number, line, language in markdown.blocks(lines):
        if language is None:
            for match in INLINE.finditer(line):
                yield number, match[1]
            continue
        text = pending + line.strip().removeprefix("$ ")
        pending = text[:-1] if text.endswith("\\") else ""
        if not pending and re.match(r"(\./x|tocsin)(\s|$)", text):
            yield number, text


def split(command):
    command = re.split(r"\s#\s|\s[|>&;]+\s|\s[|>&;]$", command)[0]
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def check_x(programs, words):
    if len(words) < 2:
        return None
    text = programs.x_help()
    section = [line for line in text.split("\n") if re.match(rf"\s*\./x {re.escape(words[1])}\b", line)]
    if not section:
        return f"./x has no '{words[1]}'"
    if words[1] in ("tocsin", "serve"):
        return check_tocsin(programs, words[1:] if words[1] == "serve" else words[2:])
    if words[1] == "bench":
        return None
    for word in words[2:]:
        if FLAG.match(word) and not any(word.split("=")[0] in line for line in section):
            return f"./x {words[1]} has no {word}"
    return None


def check_tocsin(programs, words):
    path, flags = [], []
    for word in words:
        if FLAG.match(word):
            flags.append(FLAG.match(word)[0])
        elif not flags and SUBCOMMAND.match(word) and programs.help(path + [word]) and _has_subcommand(programs, path, word):
            path.append(word)
        elif not path and not flags and SUBCOMMAND.match(word):
            return f"tocsin has no command '{word}'"
    text = programs.help(path)
    if text is None:
        return f"'tocsin {' '.join(path)} --help' fails"
    for flag in [f for f in flags if f not in ("--help", "-h")]:
        if not re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", text):
            return f"tocsin {' '.join(path)} has no {flag}"
    return None


def _has_subcommand(programs, path, word):
    return re.search(rf"^\s+{re.escape(word)}\b", programs.help(path) or "", re.M) is not None


def check_runs(tree, path, binary):
    """Runs the blocks marked to be run."""
    wanted = False
    env = dict(os.environ, PATH=os.path.dirname(binary) + os.pathsep + os.environ["PATH"])
    for number, line, language in markdown.blocks(tree.lines(path)):
        if language is None:
            wanted = line.strip() == RUN or (wanted and not line.strip())
        elif wanted and line.strip():
            out = subprocess.run(["bash", "-c", line], cwd=tree.root, env=env, capture_output=True, text=True, timeout=20,
                                 stdin=subprocess.DEVNULL, check=False)
            if out.returncode != 0:
                yield Problem(path, number, f"'{line.strip()}' exits {out.returncode}: {out.stderr.strip()[:200]}",
                              "correct the page or the program")


def check(tree, binary):
    programs = Programs(tree, binary)
    for path in [p for p in tree.markdown() if PAGES.match(p)]:
        for number, command in quoted(tree.lines(path)):
            words = split(command)
            what = check_x(programs, words) if words[0] == "./x" else check_tocsin(programs, words[1:])
            if what:
                yield Problem(path, number, f"{what}: {command}", "correct the page, or the program's help")
        yield from check_runs(tree, path, binary)
