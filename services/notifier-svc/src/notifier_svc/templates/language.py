"""Checks a template before it is saved: what it names must exist, and it may do no more than say it.

Of Jinja a message needs texts, choices and one loop over the lines. What is not listed is refused: no calls, no
assignments, no imports, no loop in a loop, so that no template can run long, reach objects or grow without bound.
"""

import re
from collections.abc import Iterator, Mapping

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifier_svc.domain.templates import MAX_BODY_CHARACTERS, MAX_SUBJECT_CHARACTERS, Fault, Place, TemplateRefused
from notifier_svc.templates.variables import LOOP, VARIABLES, Kind, Record, Series, Text

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
FILTERS = ("upper", "lower", "trim", "length")
_JOINED = (
    nodes.Const,
    nodes.TemplateData,
    nodes.Compare,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Concat,
)
_ANY = Text(means="")

Scope = Mapping[str, Kind]


def make_environment() -> ImmutableSandboxedEnvironment:
    """Make the sandbox that templates are read and rendered in."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    environment.tests.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


def check(subject: str, body: str) -> None:
    """Let a template pass that can be rendered for every order.

    Raises:
        TemplateRefused: all faults of subject and body, in their order.
    """
    faults = (*_faults("subject", subject, MAX_SUBJECT_CHARACTERS), *_faults("body", body, MAX_BODY_CHARACTERS))
    if faults:
        raise TemplateRefused(tuple(faults))


def _faults(place: Place, source: str, limit: int) -> Iterator[Fault]:
    source = source.replace("\r\n", "\n")
    if len(source) > limit:
        line = source.count("\n", 0, limit) + 1
        column = limit - (source.rfind("\n", 0, limit) + 1) + 1
        why = f"it is longer than {limit} characters"
        yield Fault(place=place, line=line, column=column, code="template-too-large", detail=why)
        return
    if not source.strip():
        yield Fault(place=place, line=1, column=1, code="template-empty", detail="it is empty")
        return
    if place == "subject" and len(source.splitlines()) > 1:
        yield Fault(place=place, line=2, column=1, code="template-construct", detail="a subject has one line")
        return
    if control := _CONTROL.search(source):
        line = source.count("\n", 0, control.start()) + 1
        column = control.start() - source.rfind("\n", 0, control.start())
        yield Fault(place=place, line=line, column=column, code="template-construct", detail="a control character")
        return
    try:
        tree = make_environment().parse(source)
    except TemplateSyntaxError as error:
        detail = error.message or "it cannot be read"
        yield Fault(place=place, line=error.lineno, column=1, code="template-syntax", detail=detail)
        return
    yield from _Reader(place, source).statements(tree.body, VARIABLES, is_looped=False)


class _Reader:
    """Walk a template's tree with the variables that are in sight."""

    def __init__(self, place: Place, source: str) -> None:
        self._place = place
        self._lines = source.splitlines() or [""]

    def statements(self, body: list[nodes.Node], scope: Scope, *, is_looped: bool) -> Iterator[Fault]:
        for node in body:
            match node:
                case nodes.For():
                    yield from self._loop(node, scope, is_looped=is_looped)
                case nodes.If():
                    yield from self._expression(node.test, scope)[1]
                    yield from self.statements(node.body, scope, is_looped=is_looped)
                    yield from self.statements([*node.elif_], scope, is_looped=is_looped)
                    yield from self.statements(node.else_, scope, is_looped=is_looped)
                case nodes.Output():
                    for printed in node.nodes:
                        yield from self._printed(printed, scope)
                case _:
                    yield self._refused(node)

    def _loop(self, node: nodes.For, scope: Scope, *, is_looped: bool) -> Iterator[Fault]:
        if is_looped or node.recursive or node.test is not None or not isinstance(node.target, nodes.Name):
            yield self._fault(node, "for", "template-construct", "a loop has one name, no condition and no loop inside")
            return
        kind, faults = self._expression(node.iter, scope)
        yield from faults
        if not isinstance(kind, Series):
            if not faults:
                yield self._fault(node, "for", "template-construct", "only a list can be looped over")
            return
        inner = {**scope, node.target.name: kind.of, "loop": LOOP}
        yield from self.statements(node.body, inner, is_looped=True)
        yield from self.statements(node.else_, scope, is_looped=is_looped)

    def _printed(self, node: nodes.Node, scope: Scope) -> Iterator[Fault]:
        kind, faults = self._expression(node, scope)
        yield from faults
        if not faults and not isinstance(kind, Text):
            yield self._fault(
                node, _name(node), "template-construct", f"{_name(node)} has parts: name the one to print"
            )

    def _expression(self, node: nodes.Node, scope: Scope) -> tuple[Kind, list[Fault]]:
        match node:
            case nodes.Name():
                return self._variable(node, scope)
            case nodes.Getattr():
                return self._part(node, scope)
            case nodes.Filter():
                return self._filtered(node, scope)
            case nodes.CondExpr(expr2=None):
                return _ANY, [self._fault(node, "if", "template-construct", "a choice inside a text needs an else")]
            case nodes.Expr() if isinstance(node, _JOINED):
                return _ANY, [fault for child in _operands(node) for fault in self._expression(child, scope)[1]]
        return _ANY, [self._refused(node)]

    def _variable(self, node: nodes.Name, scope: Scope) -> tuple[Kind, list[Fault]]:
        if node.name in scope:
            return scope[node.name], []
        detail = f"there is no variable {node.name}"
        return _ANY, [self._fault(node, node.name, "template-variable-unknown", detail)]

    def _part(self, node: nodes.Getattr, scope: Scope) -> tuple[Kind, list[Fault]]:
        kind, faults = self._expression(node.node, scope)
        if faults:
            return _ANY, faults
        if isinstance(kind, Record) and node.attr in kind.parts:
            return kind.parts[node.attr], []
        detail = f"there is no variable {_name(node)}"
        return _ANY, [self._fault(node, node.attr, "template-variable-unknown", detail)]

    def _filtered(self, node: nodes.Filter, scope: Scope) -> tuple[Kind, list[Fault]]:
        if node.name not in FILTERS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            detail = f"the filters are {', '.join(FILTERS)}, without arguments"
            return _ANY, [self._fault(node, node.name, "template-construct", detail)]
        return _ANY, self._expression(node.node, scope)[1] if node.node is not None else []

    def _refused(self, node: nodes.Node) -> Fault:
        return self._fault(node, "", "template-construct", f"{type(node).__name__.lower()} is not part of the language")

    def _fault(self, node: nodes.Node, text: str, code: str, detail: str) -> Fault:
        line = min(max(node.lineno, 1), len(self._lines))
        # The tree knows lines alone.
        column = max(self._lines[line - 1].find(text), 0) + 1
        return Fault(place=self._place, line=line, column=column, code=code, detail=detail)


def _operands(node: nodes.Expr) -> Iterator[nodes.Expr]:
    match node:
        case nodes.Compare():
            yield node.expr
            yield from (operand.expr for operand in node.ops)
        case nodes.CondExpr():
            yield node.test
            yield node.expr1
            if node.expr2 is not None:
                yield node.expr2
        case nodes.And() | nodes.Or():
            yield node.left
            yield node.right
        case nodes.Not():
            yield node.node
        case nodes.Concat():
            yield from node.nodes


def _name(node: nodes.Node) -> str:
    match node:
        case nodes.Name():
            return str(node.name)
        case nodes.Getattr():
            return f"{_name(node.node)}.{node.attr}"
        case _:
            return "it"
