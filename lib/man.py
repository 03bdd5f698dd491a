#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""man.py VERSION OUT FILE...

Makes man pages of the kernel-doc in headers, and in the source of what BPF programs call. A page begins with a comment 'DOC: NAME - what it is
for' and holds the functions, structs and enums that follow it. Each function also gets a page of
its own name, which shows that one.
"""
import datetime
import os
import pathlib
import re
import sys
import textwrap

TOKEN = re.compile(r"^/\*\*(?P<doc>.*?)\*/\n(?P<code>.*?)(?=^/\*|^\n|\Z)|"
                   r"^(?P<enum>enum \w+ {.*?^};)", re.M | re.S)


def escape(text):
    """Text as it is: nothing in it is troff's, and a hyphen stays one."""
    return re.sub(r"^(?=[.'])", r"\\&", text.replace("\\", "\\e").replace("-", "\\-"), flags=re.M)


def inline(text):
    """The marks of kernel-doc: @parameter, %CONSTANT, function()."""
    text = re.sub(r"@(\w+)", r"\\fI\1\\fP", escape(text))
    text = re.sub(r"%(\w+)", r"\\fB\1\\fP", text)
    return re.sub(r"\b(\w+)(?=\()", r"\\fB\1\\fP", text)


def sentence(text):
    first, *rest = text.split(" ")
    first = first if "_" in first else first[:1].upper() + first[1:]
    return inline(" ".join([first, *rest]) + ("" if text.endswith("?") else "."))


def code(text):
    return [".EX", escape(textwrap.dedent(text.expandtabs(8)).strip("\n")), ".EE"]


def running(text):
    """Paragraphs, of which those that are indented are code."""
    text = re.sub(r"^Return: ", "\nReturns ", text, flags=re.M)
    for block in filter(None, re.split(r"\n(?:\s*\n)+", text.strip("\n"))):
        yield ".PP"
        yield from [".RS", *code(block), ".RE"] if block.startswith("\t") else [inline(block)]


class Item:
    """A function, struct or enum."""

    def __init__(self, doc, text):
        self.code = text
        self.is_function = re.match(r"(struct|enum) \w+ {", text) is None
        self.name = re.search(r"\w+(?=\()" if self.is_function else r"\w+ \w+", text)[0]
        head, _, rest = doc.partition("\n")
        self.title = head.partition(" - ")[2]
        params, self.text = re.match(r"((?:@(?:[^\n]|\n\t)*\n?)*)(.*)", rest, re.S).groups()
        self.params = re.findall(r"^@(\w+): ((?:.|\n\t)*)", params, re.M)

    def prototype(self):
        """On lines that end behind a parameter."""
        text = re.match(r"(?:static inline |__bpf_kfunc )?([^{;]*\))", self.code)[1] + ";"
        text = re.sub(r"\b([us]\d+)\b", r"__\1", text)
        text = re.sub(r"\s+", "~", text).replace(",~", ", ")
        lines = textwrap.wrap(text, 72, subsequent_indent="\t", break_long_words=False)
        return "\n".join(lines).replace("~", " ")

    def lines(self):
        yield f".SS {self.name}{'()' if self.is_function else ''}"
        yield sentence(self.title) if self.title else ".PP"
        if not self.is_function:
            yield from [".PP", *code(self.code)]
        for name, text in self.params:
            yield f".TP\n.I {name}\n{inline(text)}".replace("\t", "")
        yield from running(self.text)


class Page:
    """What stands between two DOC comments."""

    def __init__(self, doc, header):
        head, _, self.text = doc.partition("\n")
        self.name, self.title = re.match(r"DOC: (\w+) - (.*)", head).groups()
        self.is_library = header.suffix == ".h"
        self.header = header.name if self.is_library else "unified_io_bpf.h"
        seconds = os.environ.get("SOURCE_DATE_EPOCH", header.stat().st_mtime)
        self.date = datetime.date.fromtimestamp(int(seconds))
        self.items = []

    def functions(self):
        return [item for item in self.items if item.is_function]

    def lines(self, version, others):
        yield (f'.TH {self.name.upper()} 3 "{self.date}" "libunified_io {version}" '
               '"Unified I/O Region"')
        yield from [".nh", ".ad l", ".SH NAME"]
        names = [self.name, *(item.name for item in self.functions() if item.name != self.name)]
        yield f"{', '.join(names)} \\- {escape(self.title)}"
        yield from [".SH SYNOPSIS", ".nf", f".B #include <{self.header}>", ".fi"]
        yield from (line for item in self.functions() for line in [".PP", *code(item.prototype())])
        if self.is_library:
            yield ".PP\nLink with what \\fBpkg\\-config \\-\\-libs libunified_io\\fP prints."
        yield from [".SH DESCRIPTION", *running(self.text)]
        yield from (line for item in self.items for line in item.lines())
        yield ".SH SEE ALSO"
        yield ",\n".join(f".BR {other.name} (3)" for other in others if other is not self)


def pages(header):
    """The pages of a header, in order."""
    page = None
    for token in TOKEN.finditer(header.read_text()):
        doc = re.sub(r"^ ?\*? ?", "", (token["doc"] or "").strip(), flags=re.M)
        if doc.startswith("DOC: "):
            if page:
                yield page
            page = Page(doc, header)
        elif not page:
            sys.exit(f"{header}: no 'DOC: NAME - what it is for' in front of the first item")
        else:
            page.items.append(Item(doc, token["enum"] or token["code"]))
    yield page


def main():
    version, out, *headers = sys.argv[1:]
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    every = [page for header in headers for page in pages(pathlib.Path(header))]
    for page in every:
        for item in page.functions():
            (out / f"{item.name}.3").write_text(f".so man3/{page.name}.3\n")
    for page in every:
        (out / f"{page.name}.3").write_text("\n".join(page.lines(version, every)) + "\n")


main()
