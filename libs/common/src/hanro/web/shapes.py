"""Says how what goes over the wire is written down: bodies refuse what they do not know, fields explain themselves."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

PROBLEM = "Problem"

NextCursor = Annotated[
    str | None, Field(description="Cursor of the next page, also in the header `Link`; null: this is the last")
]
ProblemShown = Annotated[dict[str, Any], WithJsonSchema({"$ref": f"#/components/schemas/{PROBLEM}"})]
"""A problem inside an answer: one entry of several was refused."""


class Body(BaseModel):
    """Be a request's body: unknown members are refused by name, what was sent is never quoted."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True)


class Shown(BaseModel):
    """Be what a caller is shown; made from a value whose attributes have the same names, or from its fields."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)
