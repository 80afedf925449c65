"""Carries out what a seller asks of orders: answers, parcels, cancellations; each entry stands for itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hanro_sandbox.simulator.life import LIVE, Market
from hanro_sandbox.simulator.money import UNDECIDED
from hanro_sandbox.simulator.shops import Shop
from hanro_sandbox.simulator.wire import Refused, Tree, entries, listed, read_moment, write_moment

MOST = 100
JOB_TAKES = timedelta(seconds=2)
JOB_KEPT = timedelta(minutes=30)
CARRIERS = frozenset({"yamato", "sagawa", "japan_post", "other"})
DONE: Tree = {"result": "done", "code": "done", "message": "受け付けました。"}
REPEAT: Tree = {"result": "repeat", "code": "repeat", "message": "すでに受け付けています。"}


class EntryRefused(Exception):
    """Refuse one entry: nothing of it was carried out, the others go on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.result: Tree = {"result": "refused", "code": code, "message": message}


def answer_lines(market: Market, shop: Shop, body: Tree) -> tuple[Tree, bool]:
    """Accept, refuse or delay lines, or answer claims."""
    return _each(entries(body, "answers", MOST), lambda entry: _answer(market, shop, entry))


def ship(market: Market, shop: Shop, body: Tree) -> tuple[Tree, bool]:
    """Register parcels; those of several orders are a job, carried out now and told later."""
    asked = entries(body, "shipments", MOST)
    results, has_effect = _each(asked, lambda entry: _ship(market, shop, entry))
    if len({entry.get("order") for entry in asked}) <= 1:
        return results, has_effect
    job_id = market.number("job")
    shop.jobs[job_id] = {"made_at": write_moment(market.now()), **results}
    return {"job": job_id, "poll_after_seconds": JOB_TAKES.total_seconds(), "message": DONE["message"]}, has_effect


def get_jobs(market: Market, shop: Shop, body: Tree) -> Tree:
    """Tell of jobs: running, done with results, or unknown; half an hour after a job began it is forgotten."""
    return {"jobs": [_job(market, shop, str(job_id)) for job_id in listed(body, "ids", MOST)]}


def cancel(market: Market, shop: Shop, body: Tree) -> tuple[Tree, bool]:
    """Cancel orders, lines or units, or give money back."""
    return _each(entries(body, "cancellations", MOST), lambda entry: _cancel(market, shop, entry))


def _each(asked: list[Tree], carry_out: Callable[[Tree], Tree]) -> tuple[Tree, bool]:
    results = []
    for entry in asked:
        try:
            result = carry_out(entry)
        except EntryRefused as refused:
            result = refused.result
        results.append({**result, "reference": entry.get("reference")})
    return {"results": results}, any(one["result"] == "done" for one in results)


def _order(shop: Shop, entry: Tree) -> Tree:
    order = shop.orders.get(str(entry.get("order")))
    if order is None:
        raise EntryRefused("unknown_order", "注文が見つかりません。")
    return order


def _line(order: Tree, line_id: object) -> Tree:
    line: Tree | None = next((one for one in order["lines"] if one["id"] == line_id), None)
    if line is None:
        raise EntryRefused("unknown_line", "明細が見つかりません。")
    return line


def _check_live(line: Tree) -> None:
    if line["state"] == "expired":
        raise EntryRefused("too_late", "回答期限を過ぎました。")
    if line["state"] not in LIVE:
        raise EntryRefused("order_cancelled", "キャンセル済みです。")


def _answer(market: Market, shop: Shop, entry: Tree) -> Tree:
    order, answer = _order(shop, entry), entry.get("answer")
    if answer not in ("accept", "refuse", "delay"):
        raise EntryRefused("malformed", "answer が正しくありません。")
    if entry.get("claim") is not None:
        return _answer_claim(market, shop, order, entry)
    line = _line(order, entry.get("line"))
    if answer == "delay":
        return _delay(market, shop, order, line, entry)
    if line["answer"] == answer:
        return REPEAT
    _check_waiting(market, order, line, answer)
    line["answer"] = answer
    line["state"] = "ready" if answer == "accept" else "refused"
    if answer == "accept":
        order["accepted_at"] = write_moment(market.now())
        line["ship_by"] = str(entry.get("ships_on") or line["ship_by"])
    elif any(one["state"] in LIVE for one in order["lines"]):
        line["quantity"] = 0
    market.changed(shop, order)
    return DONE


def _check_waiting(market: Market, order: Tree, line: Tree, answer: str) -> None:
    """Let a line be answered only while it waits for that."""
    if line["answer"] is not None:
        raise EntryRefused("already_answered", "すでに別の回答をしています。")
    _check_live(line)
    if line["state"] != "new":
        raise EntryRefused("not_waiting", "回答を待っていません。")
    if read_moment(line["decide_by"], "decide_by") < market.now():
        raise EntryRefused("too_late", "回答期限を過ぎました。")
    if answer == "accept" and order["totals"]["postage"] == UNDECIDED:
        raise EntryRefused("undecided", "送料が決まっていません。")


def _delay(market: Market, shop: Shop, order: Tree, line: Tree, entry: Tree) -> Tree:
    _check_live(line)
    if line["state"] != "ready" or not entry.get("ships_on"):
        raise EntryRefused("not_accepted", "受注した明細ではないか、発送予定日がありません。")
    delay = {"reason": entry.get("reason"), "note": entry.get("note")}
    if (line["ship_by"], line["delay"]) == (entry["ships_on"], delay):
        return REPEAT
    line["ship_by"], line["delay"] = str(entry["ships_on"]), delay
    market.changed(shop, order)
    return DONE


def _answer_claim(market: Market, shop: Shop, order: Tree, entry: Tree) -> Tree:
    claim = next((one for one in order["claims"] if one["id"] == entry["claim"]), None)
    if claim is None:
        raise EntryRefused("unknown_claim", "申請が見つかりません。")
    is_taken = entry.get("answer") == "accept"
    if claim["stage"] != "requested":
        if (claim["stage"] != "refused") == is_taken:
            return REPEAT
        raise EntryRefused("already_answered", "すでに別の回答をしています。")
    now = write_moment(market.now())
    if not is_taken:
        claim["stage"], claim["completed_at"] = "refused", now
    elif claim["kind"] == "cancel":
        claim["stage"], claim["completed_at"] = "done", now
        for line in order["lines"]:
            if line["state"] in LIVE and claim["line"] in (None, line["id"]):
                units = min(claim["quantity"] or line["quantity"], line["quantity"])
                order["claims"].remove(market.drop(order, line, units, reference=None, by="buyer", reason=""))
    else:
        claim["stage"] = "running"
    market.changed(shop, order)
    return DONE


def _ship(market: Market, shop: Shop, entry: Tree) -> Tree:
    order = _order(shop, entry)
    package = next((one for one in order["packages"] if one["id"] == (entry.get("package") or "1")), None)
    if package is None:
        raise EntryRefused("unknown_package", "お届け先が見つかりません。")
    if entry.get("carrier") not in CARRIERS:
        raise EntryRefused("unknown_carrier", "配送会社が正しくありません。")
    parcels = [one for other in order["packages"] for one in other["parcels"]]
    if any(one["reference"] == entry.get("reference") for one in parcels):
        return REPEAT
    facts = {name: entry.get(name) for name in ("reference", "carrier", "number", "url", "shipped_on")}
    if entry.get("replaces") is not None:
        parcel = next((one for one in parcels if one["id"] == entry["replaces"]), None)
        if parcel is None:
            raise EntryRefused("unknown_parcel", "訂正する荷物が見つかりません。")
        parcel |= facts
        market.changed(shop, order)
        return {**DONE, "parcel": parcel["id"]}
    parts = [(_line(order, one.get("line")), int(one.get("quantity") or 0)) for one in entry.get("lines") or []]
    if entry.get("claim") is not None:
        _exchange(market, order, entry["claim"])
    else:
        _take_units(parts)
    parcel = {
        "id": market.number("parcel"),
        **facts,
        "lines": [{"line": line["id"], "quantity": quantity} for line, quantity in parts],
    }
    package["parcels"].append(parcel)
    if entry.get("is_last") and entry.get("claim") is None:
        _close(market, order)
    market.changed(shop, order)
    return {**DONE, "parcel": parcel["id"]}


def _take_units(parts: list[tuple[Tree, int]]) -> None:
    """Take units of lines into a parcel; a unit may travel in several."""
    for line, quantity in parts:
        _check_live(line)
        if line["state"] not in ("ready", "shipped"):
            raise EntryRefused("not_accepted", "受注していない明細です。")
        if quantity > line["quantity"]:
            raise EntryRefused("too_many_units", "数量が多すぎます。")
    for line, quantity in parts:
        line["shipped"] = min(line["quantity"], line["shipped"] + quantity)


def _close(market: Market, order: Tree) -> None:
    """Let everything have left for each destination that a parcel went to: the last one said so."""
    begun = {package["id"] for package in order["packages"] if package["parcels"]}
    for line in order["lines"]:
        if line["state"] == "ready" and line["package"] in begun:
            line["state"], line["shipped"] = "shipped", line["quantity"]
    order["shipped_at"] = write_moment(market.now())


def _exchange(market: Market, order: Tree, claim_id: object) -> None:
    claim = next((one for one in order["claims"] if one["id"] == claim_id), None)
    if claim is None or claim["kind"] != "exchange" or claim["stage"] != "running":
        raise EntryRefused("unknown_claim", "交換の申請が見つかりません。")
    claim["stage"], claim["completed_at"] = "done", write_moment(market.now())


def _job(market: Market, shop: Shop, job_id: str) -> Tree:
    job = shop.jobs.get(job_id)
    age = timedelta() if job is None else market.now() - read_moment(job["made_at"], "made_at")
    if job is None or age >= JOB_KEPT:
        return {"id": job_id, "state": "unknown"}
    if age < JOB_TAKES:
        return {"id": job_id, "state": "running", "poll_after_seconds": JOB_TAKES.total_seconds()}
    return {"id": job_id, "state": "done", "results": job["results"]}


def _cancel(market: Market, shop: Shop, entry: Tree) -> Tree:
    order, reference = _order(shop, entry), entry.get("reference")
    if any(one["reference"] == reference for one in order["claims"]):
        return REPEAT
    live = [line for line in order["lines"] if line["state"] in LIVE]
    if not live:
        raise EntryRefused("order_cancelled", "キャンセル済みです。")
    asked = entry.get("lines") or []
    parts: list[tuple[Tree, int, int, int | None]]
    if not asked:
        parts = [(line, line["quantity"], 0, None) for line in live]
    else:
        parts = [(_line(order, one.get("line")), *_asked_of(one)) for one in asked]
    for line, quantity, *_ in parts:
        _check_cancel(line, quantity, is_shipped=bool(entry.get("is_shipped")))
    for line, quantity, refund, price in parts:
        by, reason = str(entry.get("by") or "seller"), str(entry.get("comment") or entry.get("reason") or "")
        claim = market.drop(order, line, quantity, reference=reference, by=by, reason=reason)
        claim["amount"] = refund or None
        if price is not None:
            line["unit_price"] = price
        elif refund:
            refunded = {"kind": "refund", "paid_by": "seller", "name": "返金", "code": reference, "amount": refund}
            order["discounts"].append({**refunded, "line": line["id"]})
    market.changed(
        shop, order, "order_cancelled" if not any(one["state"] in LIVE for one in order["lines"]) else "order_changed"
    )
    return DONE


def _asked_of(part: Any) -> tuple[int, int, int | None]:
    quantity, refund, price = part.get("quantity"), part.get("refund") or 0, part.get("price")
    if price is not None and (not isinstance(price, int) or price < 0):
        raise Refused(422, "malformed", "単価は 0 以上の整数です。", field="lines")
    if not isinstance(quantity, int) or not isinstance(refund, int) or min(quantity, refund) < 0:
        raise Refused(422, "malformed", "数量と返金額は 0 以上の整数です。", field="lines")
    return quantity, refund, price


def _check_cancel(line: Tree, quantity: int, *, is_shipped: bool) -> None:
    _check_live(line)
    if quantity > line["quantity"]:
        raise EntryRefused("too_many_units", "数量が多すぎます。")
    if line["state"] in ("shipped", "delivered") and not is_shipped:
        raise EntryRefused("already_shipped", "発送済みです。")
