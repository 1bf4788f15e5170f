"""Reading Markdown: headings, links and commands with their line numbers. Not a check of its own."""
import re
import unicodedata

FENCE = re.compile(r"^\s*(```+|~~~+)\s*(\S*)")


def blocks(lines):
    """Yields (line number, text, language): language is None outside a fence, '' or its name inside."""
    fence, language = None, None
    for number, line in enumerate(lines, 1):
        match = FENCE.match(line)
        if fence is None and match:
            fence, language = match[1], match[2]
        elif fence is not None and line.strip().startswith(fence):
            fence, language = None, None
        else:
            yield number, line, language


def anchors(lines):
    """The anchors a renderer gives to the headings."""
    found = {}
    for _, line, language in blocks(lines):
        match = re.match(r"^#{1,6}\s+(.*?)\s*#*$", line)
        if language is None and match:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).replace("`", "").lower()
            text = "".join(c for c in text if c in " -_" or unicodedata.category(c)[0] in "LN")
            slug = text.replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
    return {s if i == 0 else f"{s}-{i}" for s, n in found.items() for i in range(n + 1)}
