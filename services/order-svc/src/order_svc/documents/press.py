"""Sets notes, or binds files into one, in a process of its own: it can be stopped, and its memory is bounded.

Run by path with an isolated interpreter (see `printing`): it imports nothing of hanro. `set`: standard input holds the
notes as JSON. `bind`: it holds the files' lengths as a line of JSON, then the files. Standard output takes the PDF. A
failure is told by the exit code alone: what typst says quotes the buyer.
"""

import io
import json
import resource
import sys
from importlib.resources import files
from pathlib import Path

MEMORY_BYTES = 1536 * 1024 * 1024
TEMPLATE = Path(__file__).with_name("delivery_note.typ")


def set_notes(notes: bytes) -> bytes:
    """Set notes, each beginning on a page of its own."""
    import typst  # noqa: PLC0415  binding needs none of its 80 MB

    # The machine's own fonts would make every machine's paper another.
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(files("noto_cjk_sans_jp_regular"))],
    )
    # Tags made a file of 500 notes seven times as large.
    return typst.compile(TEMPLATE.read_bytes(), font_paths=fonts, sys_inputs={"notes": notes.decode()}, pdf_tags=False)


def bind(bound: bytes) -> bytes:
    """Bind files into one, in their order."""
    import pypdf  # noqa: PLC0415  setting needs none of it

    lengths, _, rest = bound.partition(b"\n")
    writer = pypdf.PdfWriter()
    at = 0
    for length in json.loads(lengths):
        writer.append(io.BytesIO(rest[at : at + length]), import_outline=False)
        at += length
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def main() -> None:
    """Do what the first argument says."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    given = sys.stdin.buffer.read()
    sys.stdout.buffer.write(set_notes(given) if sys.argv[1] == "set" else bind(given))


if __name__ == "__main__":
    main()
