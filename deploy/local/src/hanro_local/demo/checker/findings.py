"""Compares what was seen with what the marketplace's orders demand, order by order and line by line."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hanro_local.demo.checker.letters import Letter, expected_letter, read_letter
from hanro_local.demo.checker.log import Event
from hanro_local.demo.checker.seen import Entry, Seen

CANCELLED = 900
PLACED = "hanro.order.placed.v1"
MOST_IN_DOUBT = 1
_TOLD = 5


@dataclass(frozen=True)
class Row:
    """Be one line of the table: a question, what must be, what was seen."""

    question: str
    expected: str
    seen: str
    is_well: bool


@dataclass
class Findings:
    """Be the verdict: how many orders the marketplace has, rows, order numbers by what became of them, differences."""

    order_count: int = 0
    rows: list[Row] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    reserved: set[str] = field(default_factory=set)
    mailed: set[str] = field(default_factory=set)
    in_doubt: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    double: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Tell whether nothing differs."""
        return all(row.is_well for row in self.rows) and not self.differences and not self.double

    def add(self, question: str, expected: object, seen: object, *, is_well: bool | None = None) -> None:
        """Add a row; without a judgement, equality decides."""
        verdict = expected == seen if is_well is None else is_well
        self.rows.append(Row(question, str(expected), str(seen), verdict))

    def tell(self, what: str, cases: Iterable[str]) -> None:
        """Put a difference into words, with the first cases of it."""
        if found := sorted(cases):
            more = f" and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
            self.differences.append(f"{what}: {', '.join(found[:_TOLD])}{more}")


def compare(seen: Seen, *, account_id: str, shop_name: str) -> Findings:
    """Compare all that was seen; each order must be stored, reserved and mailed, once."""
    findings = Findings(order_count=len(seen.trees))
    _check_stored(findings, seen)
    _check_announced(findings, seen, account_id)
    _check_reserved(findings, seen)
    _check_stock(findings, seen)
    _check_mails(findings, seen, shop_name)
    _check_manners(findings, seen)
    _check_facts(findings, seen)
    return findings


def _check_stored(findings: Findings, seen: Seen) -> None:
    counts = Counter(str(order["external_id"]) for order in seen.orders)
    findings.stored = counts.keys() & seen.trees.keys()
    findings.double.update({number: count - 1 for number, count in counts.items() if count > 1})
    findings.add("orders stored, each once", len(seen.trees), len(findings.stored))
    findings.lost |= seen.trees.keys() - counts.keys()
    findings.tell("not stored", seen.trees.keys() - counts.keys())
    findings.tell("stored, and nobody ordered", counts.keys() - seen.trees.keys())
    findings.tell("stored twice", (number for number, count in counts.items() if count > 1))


def _check_announced(findings: Findings, seen: Seen, account_id: str) -> None:
    placed: dict[str, set[str]] = defaultdict(set)
    for event in seen.events:
        if event.type == PLACED and event.data["account_id"] == account_id:
            placed[str(event.data["external_id"])].add(event.id)
    twice = [number for number, events in placed.items() if len(events) > 1]
    findings.add("orders announced on Kafka, each once", len(seen.trees), len(placed) - len(twice))
    findings.double.update(twice)
    findings.lost |= seen.trees.keys() - placed.keys()
    findings.tell("not announced", seen.trees.keys() - placed.keys())
    findings.tell("announced twice", twice)


def _check_reserved(findings: Findings, seen: Seen) -> None:
    names = {
        str(line["id"]): (str(order["external_id"]), str(line["external_id"]))
        for order in seen.orders
        for line in order["lines"]
    }
    rows = Counter(names.get(str(row["line_id"]), (str(row["external_id"]), "?")) for row in seen.reservations)
    held: Counter[tuple[str, str]] = Counter()
    for row in seen.reservations:
        held[names.get(str(row["line_id"]), (str(row["external_id"]), "?"))] += int(row["reserved"])
    wanted = {
        (number, str(item["itemDetailId"])): _open_units(tree, item)
        for number, tree in seen.trees.items()
        for item in _items(tree)
    }
    wrong = {line for line, units in wanted.items() if held[line] != units or rows[line] > 1}
    findings.reserved = seen.trees.keys() - {number for number, _ in wrong}
    findings.lost |= {number for number, line in wrong if held[number, line] < wanted[number, line]}
    findings.double.update({number for number, line in wrong if held[number, line] > wanted[number, line]})
    findings.add("orders reserved, each line as ordered", len(seen.trees), len(findings.reserved))
    findings.tell(
        "not reserved as ordered",
        (f"{number} line {line} (wants {wanted[number, line]}, holds {held[number, line]})" for number, line in wrong),
    )
    findings.tell("reserved, and nobody ordered", (f"{number} line {line}" for number, line in rows.keys() - wanted))


def _check_stock(findings: Findings, seen: Seen) -> None:
    wanted = sum(_open_units(tree, item) for tree in seen.trees.values() for item in _items(tree))
    committed = sum(int(entry["committed"]) for entry in seen.stock)
    by_sku: Counter[str] = Counter()
    for row in seen.reservations:
        by_sku[str(row["sku"])] += int(row["reserved"])
    findings.add("units committed", wanted, committed)
    findings.tell(
        "stock does not add up",
        (
            str(entry["sku"])
            for entry in seen.stock
            if entry["committed"] != by_sku[entry["sku"]]
            or entry["available"] != entry["on_hand"] - entry["committed"]
            or entry["available"] < 0
            or entry["short_count"]
        ),
    )


def _check_mails(findings: Findings, seen: Seen, shop_name: str) -> None:
    letters = {number: expected_letter(tree, shop_name) for number, tree in seen.trees.items()}
    numbers = {letter.subject: number for number, letter in letters.items()}
    copies: Counter[str] = Counter()
    for mail in seen.mails:
        try:
            letter = read_letter(mail)
        except (ValueError, LookupError) as error:
            findings.differences.append(f"mail {mail['id']} cannot be read: {error}")
            continue
        number = numbers.get(letter.subject)
        if number is None:
            findings.differences.append(f"mail {mail['id']} is about no order: {letter.subject}")
            continue
        copies[number] += 1
        if letter != letters[number]:
            findings.differences.append(
                f"mail {mail['id']} for {number} differs in {_difference(letter, letters[number])}"
            )
    orders = {str(order["id"]): str(order["external_id"]) for order in seen.orders}
    states: dict[str, list[str]] = defaultdict(list)
    for message in seen.messages:
        states[orders.get(str(message["order_id"]), "?")].append(str(message["state"]))
    findings.in_doubt = {number for number, found in states.items() if found == ["in_doubt"]}
    findings.mailed = {number for number, count in copies.items() if count == 1}
    findings.double.update({number: count - 1 for number, count in copies.items() if count > 1})
    left = letters.keys() - findings.in_doubt
    findings.add("orders mailed, each once, word by word", len(left), len(findings.mailed - findings.in_doubt))
    findings.add(
        "mails in doubt, listed as such",
        f"at most {MOST_IN_DOUBT}",
        len(findings.in_doubt),
        is_well=len(findings.in_doubt) <= MOST_IN_DOUBT,
    )
    findings.lost |= left - copies.keys()
    findings.tell("not mailed", left - copies.keys())
    findings.tell("mailed twice", (number for number, count in copies.items() if count > 1))
    findings.tell("the message's state is wrong", (number for number in left if states.get(number) != ["handed_over"]))


def _check_manners(findings: Findings, seen: Seen) -> None:
    writes = [entry for entry in seen.requests if entry["has_effect"]]
    findings.add("calls that changed something at the marketplace", 0, len(writes))
    findings.add("calls refused for their rate", 0, seen.refused_for_rate)


def _check_facts(findings: Findings, seen: Seen) -> None:
    """Each aggregate's versions count from 1 without a gap, in the order of their first occurrence."""
    versions: Mapping[tuple[str, str], list[int]] = _first_occurrences(seen.events)
    gaps = [f"{topic} {key}" for (topic, key), found in versions.items() if found != list(range(1, len(found) + 1))]
    findings.add("facts missing or out of order on Kafka", 0, len(gaps))
    findings.tell("versions do not count up", gaps)
    told = {key: found[-1] for (_, key), found in versions.items() if found}
    stale = [str(entry["id"]) for entry in (*seen.accounts, *seen.orders) if told.get(entry["id"]) != entry["version"]]
    findings.add("accounts and orders whose newest version Kafka lacks", 0, len(stale))
    findings.tell("the newest version was not published", stale)
    secrets = {str(tree["OrdererModel"]["emailAddress"]).encode() for tree in seen.trees.values()}
    leaks = [event.id for event in seen.events if any(secret in event.value for secret in secrets)]
    findings.add("buyers' addresses on Kafka", 0, len(leaks))


def _first_occurrences(events: Iterable[Event]) -> dict[tuple[str, str], list[int]]:
    versions: dict[tuple[str, str], dict[int, None]] = defaultdict(dict)
    for event in events:
        versions[event.topic, event.key].setdefault(int(event.data["version"]))
    return {key: list(found) for key, found in versions.items()}


def _items(tree: Entry) -> list[Entry]:
    return [item for package in tree["PackageModelList"] for item in package["ItemModelList"]]


def _open_units(tree: Entry, item: Entry) -> int:
    """Give the units that stock must be held for: none of an order that was cancelled."""
    return 0 if tree["orderProgress"] == CANCELLED else int(item["units"])


def _difference(seen: Letter, expected: Letter) -> str:
    parts = [
        part
        for part, is_different in (
            ("recipient", seen.recipients != expected.recipients),
            ("body", seen.body != expected.body),
        )
        if is_different
    ]
    return " and ".join(parts)
