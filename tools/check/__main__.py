"""python3 tools/check: holds the tree to its own rules. Prints only problems, then one summary line."""
import argparse
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# The imports need the path above.
import cpp_format  # noqa: E402
import doc_commands  # noqa: E402
import folders  # noqa: E402
import layers  # noqa: E402
import links  # noqa: E402
import names  # noqa: E402
import records  # noqa: E402
import sizes  # noqa: E402
import whitespace  # noqa: E402
from tree import Tree  # noqa: E402

CHECKS = {"format": cpp_format, "layers": layers, "sizes": sizes, "names": names, "whitespace": whitespace,
          "links": links, "folders": folders, "records": records, "commands": doc_commands}


def problems_of(tree, chosen, binary):
    found = []
    for name in chosen:
        found += doc_commands.check(tree, binary) if name == "commands" else CHECKS[name].check(tree)
    return sorted(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    parser.add_argument("--binary", default="build/release/tocsin", help="the program whose help is authoritative")
    parser.add_argument("--only", action="append", choices=CHECKS, help="one check; may be repeated")
    parser.add_argument("--no-self-test", action="store_true", help="do not first prove that the checks can fail")
    arguments = parser.parse_args()
    start = time.monotonic()
    if not arguments.no_self_test:
        test = os.path.join(os.path.dirname(os.path.abspath(__file__)), "self_test.py")
        out = subprocess.run([sys.executable, test], capture_output=True, text=True, check=False)
        if out.returncode != 0:
            print(out.stdout + out.stderr + "tools/check/self_test.py:1: the checks do not find what they must")
            return 1
    chosen = arguments.only or list(CHECKS)
    found = problems_of(Tree(arguments.root), chosen, os.path.abspath(arguments.binary))
    for problem in found:
        print(problem)
    errors = sum(not p.warning for p in found)
    print(f"check: {errors} problem{'' if errors == 1 else 's'}, {len(found) - errors} to look at, "
          f"{len(chosen)} checks in {time.monotonic() - start:.0f} s")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
