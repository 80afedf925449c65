"""Declares the few routes that ask for no bearer token, and by what they believe a caller instead."""

from dataclasses import dataclass

from fastapi import Depends as Depending
from fastapi.params import Depends
from fastapi.routing import APIRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenToAll:
    """Say that a route asks no bearer token, and by what it believes a caller instead."""

    believes: str

    async def __call__(self) -> None:
        """Do nothing: the route reads it when it is built."""


def declared_open(route: APIRoute) -> OpenToAll | None:
    """Give how a route that asks no bearer token says so; None: it asks for one."""
    found = [one.dependency for one in route.dependencies if isinstance(one.dependency, OpenToAll)]
    return found[0] if found else None


def open_to_all(*, believes: str) -> Depends:
    """Declare that a route asks no bearer token, for its `dependencies`; `believes`: by what it knows a caller instead.

    Each such route is named in the table of the service's refusals.
    """
    declared: Depends = Depending(OpenToAll(believes=believes))
    return declared
