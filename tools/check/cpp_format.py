"""C++ files are as clang-format leaves them."""
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import Problem

PROGRAM = "clang-format-19"
FIRST = re.compile(r"^(.+?):(\d+):\d+: (?:error|warning):")


def _run(tree, names):
    out = subprocess.run([PROGRAM, "--dry-run", "-Werror", *names], cwd=tree.root, capture_output=True, text=True)
    return out.stderr


def check(tree):
    files = tree.cpp()
    batches = [files[i:i + 20] for i in range(0, len(files), 20)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        outputs = list(pool.map(lambda names: _run(tree, names), batches))
    seen = set()
    for output in outputs:
        for line in output.split("\n"):
            match = FIRST.match(line)
            if match and match[1] not in seen:
                seen.add(match[1])
                yield Problem(match[1], int(match[2]), "not formatted", "./x fmt")
