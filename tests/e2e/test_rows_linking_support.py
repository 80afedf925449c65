"""What support is given of an account: all that was tried and refused, and nothing that is secret or typed."""

import pytest
from row_shops import Row

from hanro_local import installation
from hanro_local.demo.api import until

SECONDS = 60.0
LARGEST = 256 * 1024


@pytest.mark.row("A18", kind="walks")
async def test_a_bundle_tells_screen_settings_and_last_refusals_and_holds_no_secret(draft: Row) -> None:
    wrong = f"{draft.seller.shop['license_key'][:-4]}0000"
    await draft.ask("PATCH", "", {"display_name": "見本 秘密店"})
    await draft.seller.enter(license_key=wrong)

    async def is_refused() -> bool:
        return bool((await draft.seller.account())["reason"]["code"] == "credential-refused")

    await until(SECONDS, is_refused)
    await draft.tick("bulk_editing", "applied")
    answer = await draft.doors.hanro.call("GET", f"{draft.path}/diagnostics")
    told = answer.json()
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert told["support_contact"] == installation.SUPPORT_CONTACT
    assert (told["account"]["reason_code"], told["account"]["state"]) == ("credential-refused", "draft")
    refusals = [row["refusal"] for run in told["preflights"] for row in run["rows"] if row["refusal"]]
    assert ("GA0001", 401) in {(one["code"], one["http_status"]) for one in refusals}
    assert [deed["action"] for deed in told["tried"]][:2] == ["tick-checklist", "preflight"]
    states = {one["id"]: one["state"] for one in told["checklist"]}
    assert (states["bulk_editing"], states["terms"]) == ("applied", "open")
    assert told["software"]["guide_version"]
    for secret in (*draft.seller.form(license_key=wrong)["values"].values(), "秘密店"):
        assert secret not in answer.text, secret
    assert len(answer.content) < LARGEST


@pytest.mark.row("A18", kind="refuses")
async def test_a_bundle_is_given_to_those_alone_who_may_see_the_account(draft: Row) -> None:
    target = f"{draft.path}/diagnostics"
    assert (await draft.caller("shp_none").call("GET", target, expected=(403,))).json()["code"] == "shop-not-yours"
    for scopes in (("orders:read",), ("messages:read",)):
        problem = (await draft.caller("*", scopes=scopes).call("GET", target, expected=(403,))).json()
        assert "accounts:read" in str(problem)
    await draft.doors.hanro.call("GET", "/v1/accounts/acc_none/diagnostics", expected=(404,))
    assert await draft.seller.requests() == []
