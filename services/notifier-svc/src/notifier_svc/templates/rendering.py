"""Turns a template and an order's variables into the text of a mail."""

import re
from dataclasses import dataclass, field

import jinja2

from hanro.errors import Rejected
from notifier_svc.domain.contacts import Variables
from notifier_svc.templates.language import make_environment

MAX_RENDERED_CHARACTERS = 200_000
KEPT_TEMPLATES = 200

# A line that holds one tag alone leaves no line behind; Jinja's own trimming would also join lines that end with one.
_TAG_ALONE = re.compile(r"(?m)^[ \t]*(\{%(?:(?!%\})[^\n])*%\})[ \t]*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """Be what a buyer will read; lines end with a line feed."""

    subject: str = field(repr=False)
    body: str = field(repr=False)


class Renderer:
    """Render templates; one a process, it keeps those that it has read."""

    def __init__(self) -> None:
        self._environment = make_environment()
        self._read: dict[str, jinja2.Template] = {}

    def render(self, subject: str, body: str, variables: Variables) -> Rendered:
        """Render both texts.

        Raises:
            Rejected: a variable that the order does not have, or a source that cannot be read (template-broken); more
                than 200,000 characters (text-too-long). No value stands in the error.
        """
        return Rendered(subject=self._text(subject, variables, "subject"), body=self._text(body, variables, "body"))

    def _text(self, source: str, variables: Variables, field_name: str) -> str:
        pieces: list[str] = []
        length = 0
        try:
            for piece in self._template(source).generate(variables):
                length += len(piece)
                if length > MAX_RENDERED_CHARACTERS:
                    raise Rejected("The rendered text is too long.", code="text-too-long", field=field_name)
                pieces.append(piece)
        except jinja2.TemplateError:
            # Its text may hold values.
            raise Rejected("The template cannot be rendered.", code="template-broken", field=field_name) from None
        return "".join(pieces)

    def _template(self, source: str) -> jinja2.Template:
        known = self._read.get(source)
        if known is None:
            if len(self._read) >= KEPT_TEMPLATES:
                self._read.clear()
            known = self._read[source] = self._environment.from_string(_TAG_ALONE.sub(r"\1", source))
        return known
