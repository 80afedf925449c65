"""Lets buyers cancel between import, reservation and ship confirmation: fault 24."""

from collections import Counter

import pytest
from fault_checks import judge, look, quiet
from fault_forms import form
from fault_journal import sequence, subjects
from fault_parcels import OVER, READY, confirmations, found, reached, rows_of, ship
from fault_shop import Shop
from fault_stack import FaultStack
from fault_week import CANCELLED, ORDERED, Work

from hanro_local.demo.api import until

pytestmark = pytest.mark.fault
NUMBER = "123456789012"
OTHER = "123456789013"
SECONDS = 60.0


async def _letters(shop: Shop, number: str) -> Counter[str]:
    return Counter(subject.split()[0] for subject in await subjects(shop) if subject.endswith(number))


async def _await_held(stack: FaultStack, shop: Shop, *numbers: str) -> None:
    """Wait until units are reserved for each of these orders, or were and are free again."""

    async def are_held() -> bool:
        seen = await look(stack, shop, is_log_wanted=False)
        return set(numbers) <= {row["external_id"] for row in seen.reservations}

    await until(SECONDS, are_held)


class _Pair:
    """Be two orders whose buyers cancel: one before its parcel is asked for, the other after it was registered."""

    def __init__(self, stack: FaultStack, shop: Shop) -> None:
        self._stack, self._shop = stack, shop
        self.numbers: list[str] = []
        self._ids: list[str] = []
        self._cancelled_at: dict[str, int] = {}

    async def place(self) -> None:
        self.numbers = await self._shop.place(2, is_plain=True, progress=READY)
        self._ids = [(await found(self._shop, number))["id"] for number in self.numbers]
        # What buyers do from now on is not known to hanro: the harder case.
        await self._stack.rest_accounts(self._shop.account_id)

    async def begin(self) -> None:
        await self._cancel(self.numbers[0])
        assert await self._ship(1) == "registered"

    async def end(self) -> None:
        assert await self._ship(0) == "rejected"
        await self._cancel(self.numbers[1])
        await self._stack.wake_account(self._shop.account_id)

    async def confirmed_after(self) -> list[str]:
        """Give the orders that were confirmed at the marketplace behind their cancellation."""
        return [
            number
            for number, place in self._cancelled_at.items()
            for one in await confirmations(self._shop, after=place)
            if number in one.orders
        ]

    async def _ship(self, which: int) -> str:
        asked = await ship(self._shop, self._ids[which], (NUMBER, OTHER)[which])
        return await reached(self._shop, asked["id"], *OVER)

    async def _cancel(self, number: str) -> None:
        await self._shop.cancel(number)
        self._cancelled_at[number] = await sequence(self._shop)


async def _let_them_cancel(stack: FaultStack, shop: Shop, pair: _Pair, reserved: str) -> None:
    if reserved == "first":
        await pair.place()
        await _await_held(stack, shop, *pair.numbers)
        await pair.begin()
    else:
        async with stack.down("catalog-svc"):
            await pair.place()
            await pair.begin()
            if reserved == "last":
                await pair.end()
        await _await_held(stack, shop, *pair.numbers)
    if reserved != "last":
        await pair.end()


# Each is two of the six orders in which a cancellation, a reservation and a confirmation can come.
RESERVED = form(short=["first"], whole=["first", "between", "last"])


@pytest.mark.parametrize("reserved", RESERVED)
async def test_a_buyer_cancels_before_or_after_the_confirmation_wherever_the_reservation_falls(
    stack: FaultStack, shop: Shop, reserved: str
) -> None:
    await Work(stack, shop).begin()
    pair = _Pair(stack, shop)
    await _let_them_cancel(stack, shop, pair, reserved)
    assert await quiet(stack, shop, 2 * SECONDS) == ""
    # Two kinds of letters are no double one: they are counted below.
    assert {name: cases for name, cases in judge(await look(stack, shop)).items() if name != "I3"} == {}
    assert await pair.confirmed_after() == []
    assert [await rows_of(shop, number) for number in pair.numbers] == [[], [OTHER]]
    once = Counter({ORDERED: 1, CANCELLED: 1})
    assert [await _letters(shop, number) for number in pair.numbers] == [once, once]
