"""Files and functions stay small enough to read: 800 lines and 70 lines at most; 400 asks for a second look."""
import ast
import re

from tree import Problem

MAX_FILE, WARN_FILE, MAX_FUNCTION = 800, 400, 70

_STRIP = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
_SCOPE = re.compile(r"^\s*(?:template\s*<.*>\s*)?(?:inline\s+)?(?:typedef\s+)?(?:class|struct|union|enum|namespace|extern)\b", re.S)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)


def _blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def _is_function(header):
    header = header.strip()
    if not header or _SCOPE.match(header) or "(" not in header:
        return False
    return header.count("(") == header.count(")")


def cpp_functions(text):
    """Yields (first line, last line) of every outermost function body, signature included."""
    text = _DIRECTIVE.sub(_blank, _STRIP.sub(_blank, text))
    stack, header_start, function_depth = [], 0, None
    for match in re.finditer(r"[{};]", text):
        place, mark = match.start(), match[0]
        if mark == "{":
            header = text[header_start:place]
            if function_depth is None and _is_function(header):
                function_depth = len(stack)
                stack.append(header_start + len(header) - len(header.lstrip()))
            else:
                stack.append(None)
        elif mark == "}" and stack:
            opened = stack.pop()
            if function_depth is not None and len(stack) == function_depth:
                yield text.count("\n", 0, opened) + 1, text.count("\n", 0, place) + 1
                function_depth = None
        if function_depth is None or mark == "{":
            header_start = place + 1


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno


def check(tree):
    for path in tree.written(".cc", ".h", ".py", ".sh", ".js", ".mjs", ".ts", ".cmake", ".md", ".txt"):
        if path == "CHANGELOG.md":
            continue
        count = len(tree.lines(path))
        if count > MAX_FILE:
            yield Problem(path, MAX_FILE, f"{count} lines; at most {MAX_FILE}", "split it: one thing a file")
        elif count > WARN_FILE:
            yield Problem(path, WARN_FILE, f"{count} lines; most files stay under {WARN_FILE}", "", warning=True)
        finder = cpp_functions if path.endswith((".cc", ".h")) else python_functions if path.endswith(".py") else None
        for first, last in finder(tree.text(path)) if finder else ():
            if last - first + 1 > MAX_FUNCTION:
                yield Problem(path, first, f"a function of {last - first + 1} lines; at most {MAX_FUNCTION}",
                              "give its parts names")
