"""No trailing blanks, no tabs in C++, no carriage returns, one newline at the end."""
from tree import Problem

TEXT = (".cc", ".h", ".md", ".txt", ".cmake", ".py", ".sh", ".json", ".yml", ".yaml", ".js", ".mjs", ".ts", ".proto",
        "/x", ".ci/run")


def check(tree):
    for path in tree.written(*TEXT) + (["x"] if "x" in tree.files else []):
        lines = tree.lines(path)
        for number, line in enumerate(lines, 1):
            if line.endswith("\r"):
                yield Problem(path, number, "carriage return", "save with Unix line ends")
                break
            if line != line.rstrip():
                yield Problem(path, number, "trailing blanks", "remove them")
            if "\t" in line and path.endswith((".cc", ".h", ".py", ".md")):
                yield Problem(path, number, "a tab", "write spaces")
        if lines[-1] or (len(lines) > 2 and not lines[-2]):
            yield Problem(path, len(lines), "the file does not end with exactly one newline", "end it with one newline")
