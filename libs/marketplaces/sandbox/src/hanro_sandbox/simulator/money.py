"""Adds up what an order costs: prices hold the tax, postage and fee count at 10 percent."""

from hanro_sandbox.simulator.wire import Tree

UNDECIDED = -1
FEE_PERCENT = 10
RATES = (10, 8)


def restate(order: Tree) -> None:
    """Write line totals, taxes and totals anew; an undecided postage leaves what hangs on it undecided."""
    for line in order["lines"]:
        line["total"] = line["unit_price"] * line["quantity"]
    goods = sum(line["total"] for line in order["lines"])
    postages = [package["postage"] for package in order["packages"]]
    is_decided = UNDECIDED not in postages
    postage = sum(postages) if is_decided else UNDECIDED
    total = goods + postage + order["totals"]["fee"] if is_decided else UNDECIDED
    payable = max(0, total - sum(one["amount"] for one in order["discounts"])) if is_decided else UNDECIDED
    seller_fee = payable * FEE_PERCENT // 100 if is_decided else UNDECIDED
    order["taxes"] = [_tax(order, rate, postage) for rate in RATES if _has_rate(order, rate)]
    order["totals"] |= {
        "goods": goods,
        "postage": postage,
        "total": total,
        "payable": payable,
        "seller_fee": seller_fee,
        "payout": payable - seller_fee if is_decided else UNDECIDED,
    }


def _has_rate(order: Tree, rate: int) -> bool:
    return rate == RATES[0] or any(line["tax_percent"] == rate for line in order["lines"])


def _tax(order: Tree, rate: int, postage: int) -> Tree:
    gross = sum(line["total"] for line in order["lines"] if line["tax_percent"] == rate)
    if rate == RATES[0]:
        if postage == UNDECIDED:
            return {"percent": rate, "gross": UNDECIDED, "tax": UNDECIDED}
        gross += postage + order["totals"]["fee"]
    return {"percent": rate, "gross": gross, "tax": gross * rate // (100 + rate)}
