#!/usr/bin/env python3
"""Proves that the checks can fail: a small tree that passes, and one planted fault at a time that must be found."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import doc_commands  # noqa: E402
import folders  # noqa: E402
import layers  # noqa: E402
import links  # noqa: E402
import names  # noqa: E402
import records  # noqa: E402
import sizes  # noqa: E402
import whitespace  # noqa: E402
from tree import Tree  # noqa: E402

X = "#!/bin/sh\nprintf '  ./x test [--slow]   run the tests\\n'\n"
TOCSIN = """#!/bin/sh
case "$*" in
  --help) printf 'Subcommands:\\n  serve  run\\n  incident  look\\n' ;;
  "serve --help") printf '  --data-dir TEXT\\n' ;;
  "incident --help") printf '  show  one\\n' ;;
  "incident show --help") printf '  --json\\n' ;;
  *) exit 2 ;;
esac
"""
GOOD = {
    "tools/layers.txt": "# order\nkernel store apps\n",
    "src/kernel/README.md": "# kernel\n",
    "src/kernel/a.h": "int A();\n",
    "src/store/README.md": "# store\n",
    "src/store/CMakeLists.txt": "tocsin_layer(NAME store DEPENDS kernel LIBRARIES x)\n",
    "src/store/b.cc": '#include "kernel/a.h"\nint B() {\n  return A();\n}\n',
    "docs/adr/README.md": "| [0001](0001-first.md) | first |\n",
    "docs/adr/0001-first.md": "# First\n",
    "changelog.d/README.md": "# Fragments\n",
    "changelog.d/a-thing.added.md": "A thing.\n",
    "README.md": "# Tocsin\n\n[there](docs/adr/0001-first.md#first)\n\n```sh\n./x test --slow\ntocsin incident show ID --json\n"
                 "tocsin serve --data-dir=here\n```\n\n<!-- check: run -->\n\n```sh\ntocsin --help\n```\n",
    "ARCHITECTURE.md": "| folder | |\n|---|---|\n" + "".join(
        f"| `{f}/` | . |\n" for f in ("src/kernel", "src/store", "docs", "changelog.d", "tools")),
    "x": X,
}
LONG_FUNCTION = "void F() {\n" + "  G();\n" * 80 + "}\n"


def planted(**changes):
    files = {**GOOD, **{k: v for k, v in changes.get("files", {}).items()}}
    folder = tempfile.mkdtemp(prefix="tocsin-check-")
    for name, text in files.items():
        if text is None:
            continue
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.chmod(path, 0o755)
    return Tree(folder)


class Checks(unittest.TestCase):
    def setUp(self):
        self.bin = tempfile.TemporaryDirectory(prefix="tocsin-check-bin-")
        self.binary = os.path.join(self.bin.name, "tocsin")
        with open(self.binary, "w", encoding="utf-8") as file:
            file.write(TOCSIN)
        os.chmod(self.binary, 0o755)

    def tearDown(self):
        self.bin.cleanup()

    def found(self, check, **files):
        tree = planted(files={k: v for k, v in files.get("files", {}).items()})
        try:
            if check is doc_commands:
                return list(check.check(tree, self.binary))
            return [p for p in check.check(tree) if not p.warning]
        finally:
            for base, _, names_ in os.walk(tree.root, topdown=False):
                for name in names_:
                    os.unlink(os.path.join(base, name))
                os.rmdir(base)

    def finds(self, check, path, line, files, count=1):
        problems = self.found(check, files=files)
        self.assertEqual(len(problems), count, [str(p) for p in problems])
        self.assertEqual((problems[0].path, problems[0].line), (path, line), str(problems[0]))

    def test_a_good_tree_passes(self):
        for check in (layers, sizes, names, whitespace, links, folders, records, doc_commands):
            self.assertEqual([str(p) for p in self.found(check)], [], check.__name__)

    def test_layers(self):
        self.finds(layers, "src/kernel/a.h", 2, {"src/kernel/a.h": '\n#include "store/b.h"\n'})
        self.finds(layers, "src/store/b.cc", 1, {"src/store/b.cc": '#include "kernel/internal/c.h"\n'})
        self.finds(layers, "src/kernel/CMakeLists.txt", 1,
                   {"src/kernel/CMakeLists.txt": "tocsin_layer(NAME kernel DEPENDS store)\n"})
        self.finds(layers, "src/nowhere/a.cc", 1, {"src/nowhere/a.cc": "\n"})

    def test_reserved_ports(self):
        order = {"tools/layers.txt": "ports kernel act store apps\n"}
        line = '#include "ports/process/program_runner.h"\n'
        self.finds(layers, "src/store/b.cc", 1, {**order, "src/store/b.cc": line})
        self.finds(layers, "apps/tocsin/main.cc", 1, {**order, "apps/tocsin/main.cc": line})
        allowed = {**order, "src/act/a.cc": line, "src/ports/process/a.cc": line}
        self.assertEqual(self.found(layers, files=allowed), [])

    def test_sizes(self):
        self.finds(sizes, "src/store/b.cc", 2, {"src/store/b.cc": "\n" + LONG_FUNCTION})
        self.finds(sizes, "src/store/b.cc", 3, {"src/store/b.cc": "namespace a {\nclass C {\n" + LONG_FUNCTION + "};\n}\n"})
        self.finds(sizes, "src/store/b.cc", 800, {"src/store/b.cc": "int a;\n" * 900})
        self.finds(sizes, "tools/a.py", 1, {"tools/a.py": "def f():\n" + "    pass\n" * 80})

    def test_braces_in_text_are_not_functions(self):
        text = 'void F() {\n  G("{", \'{\', R"({)");  // {\n}\nint a;\n' + "int b;\n" * 80
        self.assertEqual(self.found(sizes, files={"src/store/b.cc": text}), [])

    def test_names(self):
        self.finds(names, "src/store/utils", 1, {"src/store/utils/a.h": "\n"})
        self.finds(names, "src/store/b.cc", 1, {"src/store/b.cc": "std::regex r;\n"})

    def test_whitespace(self):
        self.finds(whitespace, "src/store/b.cc", 1, {"src/store/b.cc": "int a; \n"})
        self.finds(whitespace, "src/store/b.cc", 1, {"src/store/b.cc": "\tint a;\n"})
        self.finds(whitespace, "src/store/b.cc", 1, {"src/store/b.cc": "int a;"})
        self.finds(whitespace, "src/store/b.cc", 1, {"src/store/b.cc": "int a;\r\n"})

    def test_links(self):
        self.finds(links, "README.md", 1, {"README.md": "[a](nowhere.md)\n"})
        self.finds(links, "README.md", 1, {"README.md": "[a](docs/adr/0001-first.md#second)\n"})
        self.finds(links, "README.md", 1, {"README.md": "[a](../../else.md)\n"})
        self.finds(links, "src/store/b.cc", 1, {"src/store/b.cc": "// docs/formats/gone.md\n"})

    def test_folders(self):
        self.finds(folders, "ARCHITECTURE.md", 1, {"src/new/a.h": "\n", "src/new/README.md": "# new\n"})
        self.finds(folders, "src/store/README.md", 1, {"src/store/README.md": None})
        self.finds(folders, "ARCHITECTURE.md", 8, {"ARCHITECTURE.md": GOOD["ARCHITECTURE.md"] + "| `src/gone/` | . |\n"})

    def test_records(self):
        self.finds(records, "changelog.d/Thing.md", 1, {"changelog.d/Thing.md": "A thing.\n"})
        self.finds(records, "changelog.d/b.fixed.md", 1, {"changelog.d/b.fixed.md": "# no\n"})
        self.finds(records, "docs/adr/README.md", 1, {"docs/adr/0002-b.md": "# B\n"})

    def test_commands(self):
        for line in ("./x dance", "./x test --fast", "tocsin dance", "tocsin serve --nothing", "tocsin incident show --what",
                     "./x tocsin serve --nothing"):
            text = {"README.md": f"# T\n\n```sh\n{line}\n```\n", "x": X.replace("run the", "\\n  ./x tocsin ARGS\\n  run the")}
            self.finds(doc_commands, "README.md", 4, text)
        self.finds(doc_commands, "README.md", 1, {"README.md": "Say `tocsin dance` twice.\n"})
        self.finds(doc_commands, "README.md", 4, {"README.md": f"{doc_commands.RUN}\n\n```sh\nfalse\n```\n"})


if __name__ == "__main__":
    unittest.main()
