"""Every folder of src/ has a README.md, and the folder table of ARCHITECTURE.md is the tree."""
import re

from tree import Problem

ROW = re.compile(r"^\|\s*\[?`([\w./-]+)/`")
TABLE = "ARCHITECTURE.md"
MAX_README = 40


def _top_folders(tree):
    found = set()
    for name in tree.files:
        parts = name.split("/")
        if parts[0] == "src" and len(parts) > 2:
            found.add(f"src/{parts[1]}")
        elif len(parts) > 1:
            found.add(parts[0])
    return found - {"src"}


def check(tree):
    rows = {}
    for number, line in enumerate(tree.lines(TABLE), 1):
        match = ROW.match(line)
        if match:
            rows[match[1]] = number
    folders = _top_folders(tree)
    for name in sorted(folders - set(rows)):
        yield Problem(TABLE, 1, f"the folder table does not have {name}/", f"add a row that opens with | `{name}/` |")
    for name, number in rows.items():
        if name not in folders and not tree.exists(name):
            yield Problem(TABLE, number, f"the folder table has {name}/, which does not exist", "remove the row")
    for name in sorted(f for f in folders if f.startswith("src/")):
        readme = f"{name}/README.md"
        if not tree.exists(readme):
            yield Problem(readme, 1, "missing", "ten lines: what comes in, what goes out, what it must never do")
        elif len(tree.lines(readme)) > MAX_README:
            yield Problem(readme, MAX_README, f"{len(tree.lines(readme))} lines; at most {MAX_README}",
                          "keep the folder's README to what comes in, what goes out, what it must never do")
