"""The tree under check: which files it has, their text, and the problems found in them."""
import os
import subprocess
from dataclasses import dataclass, field

# Recorded bytes that are what they are: never formatted, never read as documentation.
RECORDED = ("third_party/", "tests/fuzz/corpus/", "tests/golden/", "tests/formats/")


@dataclass(order=True)
class Problem:
    path: str
    line: int
    what: str
    fix: str = ""
    warning: bool = field(default=False, compare=False)

    def __str__(self):
        kind = "warning: " if self.warning else ""
        return f"{self.path}:{self.line}: {kind}{self.what}" + (f"\n    fix: {self.fix}" if self.fix else "")


class Tree:
    """A source tree. Paths are relative to the root, with forward slashes."""

    def __init__(self, root):
        self.root = root
        self.files = sorted(self._list())
        self._lines = {}

    def _list(self):
        try:
            out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                 cwd=self.root, capture_output=True, check=True).stdout.decode()
            names = [n for n in out.split("\0") if n]
        except (OSError, subprocess.CalledProcessError):
            names = [os.path.relpath(os.path.join(base, n), self.root)
                     for base, _, found in os.walk(self.root) for n in found]
        return {n for n in names if os.path.isfile(os.path.join(self.root, n)) and "node_modules/" not in n}

    def path(self, name):
        return os.path.join(self.root, name)

    def exists(self, name):
        return os.path.exists(self.path(name))

    def lines(self, name):
        if name not in self._lines:
            with open(self.path(name), encoding="utf-8", errors="replace", newline="") as file:
                self._lines[name] = file.read().split("\n")
        return self._lines[name]

    def text(self, name):
        return "\n".join(self.lines(name))

    def written(self, *suffixes):
        """Files people write (not recorded ones) that end so."""
        return [f for f in self.files if f.endswith(suffixes) and not f.startswith(RECORDED)]

    def cpp(self):
        return self.written(".cc", ".h")

    def markdown(self):
        return self.written(".md")

    def folders(self):
        """Every folder that holds a file, at any depth."""
        found = set()
        for name in self.files:
            while "/" in name:
                name = name.rsplit("/", 1)[0]
                found.add(name)
        return sorted(found)
