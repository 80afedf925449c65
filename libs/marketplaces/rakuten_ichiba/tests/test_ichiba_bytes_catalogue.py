"""The catalogue's services refuse in their own words: envelopes, codes, media types (rakuten-ichiba-catalog 1 to 6)."""

import re
from collections.abc import Iterator

import pytest
from ichiba_samples import NOT_ENABLED, UNAUTHORISED
from ichiba_wire import Shop, Simulator, WireAnswer, authorization, open_shop, running_simulator

EMPTY = b'{"errors":[{"code":"GE0011","message":"Request body is missing or is empty without any attributes."}]}'
NO_ROUTE = b'{"errors":[{"code":"GE0007","message":"Requested path doesn\'t exist"}]}'
LONG = "a" * 33
ITEM, VARIANT = "/es/2.0/items/manage-numbers/", "/es/2.1/inventories/manage-numbers/"
CATEGORIES = "/es/2.0/categories/"
CABINET = "/es/1.0/cabinet/"


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("catalogue")) as running:
        yield running


@pytest.fixture(scope="module")
def shop(simulator: Simulator) -> Shop:
    return open_shop(simulator, "999001")


def call(
    shop: Shop, method: str, path: str, body: bytes = b"", *, key: str | None = None, media_type: str | None = None
) -> WireAnswer:
    sent = {"Authorization": key or shop.authorization}
    if body or media_type:
        sent["Content-Type"] = media_type or "application/json; charset=utf-8"
    return shop.simulator.send(method, path, body, sent)


def mandatory(*fields: str) -> bytes:
    errors = ",".join(
        f'{{"code":"IE0001","message":"{field} is mandatory.","metadata":{{"propertyPath":"{field}"}}}}'
        for field in fields
    )
    return f'{{"errors":[{errors}]}}'.encode()


def error(code: str, message: str, path: str | None = None) -> bytes:
    metadata = "" if path is None else f',"metadata":{{"propertyPath":"{path}"}}'
    return f'{{"errors":[{{"code":"{code}","message":"{message}"{metadata}}}]}}'.encode()


def not_found(inputs: str) -> bytes:
    return error("GE0014", f"Not found for inputs; {inputs}")


LONG_NUMBER = error("IE0004", "Max length of manageNumber must be within 32 bytes.", "manageNumber")
BAD_NUMBER = error("IE0220", 'manageNumber is only allowed alphanumeric, \\"-\\" and \\"_\\".', "manageNumber")
NO_GENRE = error("notGenreFound", "Not genre found.")
BAD_SET = error("IE0002", 'categorySetId has an invalid value : \\"x\\".', "categorySetId")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "answer"),
    [
        ("GET", f"{ITEM}No-Such", b"", 404, not_found("manageNumber=no-such")),
        ("PUT", f"{ITEM}a", b"{}", 400, EMPTY),
        ("PUT", f"{ITEM}a", b'{"title":"x"}', 400, mandatory("itemType", "genreId", "variants")),
        ("PATCH", f"{ITEM}a", b"", 400, EMPTY),
        ("PATCH", f"{ITEM}a", b'{"title":"x"}', 404, not_found("manageNumber=a")),
        ("DELETE", ITEM + LONG, b"", 400, LONG_NUMBER),
        ("DELETE", f"{ITEM}a.b", b"", 400, BAD_NUMBER),
        ("GET", "/es/2.0/items/search?hits=1", b"", 200, b'{"numFound":0,"offset":0,"results":[]}'),
        ("GET", "/es/2.0/items/search?hits=101", b"", 400, error("IE1005", "Invalid request parameter.")),
        (
            "GET",
            "/es/2.0/items/search?offset=1&cursorMark=*",
            b"",
            400,
            error("IE1003", "Only one of offset and cursorMark can be registered."),
        ),
        ("POST", "/es/2.0/items/bulk-get", b'{"a":1}', 400, mandatory("manageNumbers")),
        ("POST", "/es/2.0/items/bulk-get", b'{"manageNumbers":["a"]}', 200, b'{"results":[]}'),
        ("GET", "/es/2.0/items/inventory-related-settings/manage-numbers/a", b"", 404, not_found("manageNumber=a")),
        ("PUT", "/es/2.0/items/inventory-related-settings/manage-numbers/a", b"{}", 400, EMPTY),
        ("GET", "/es/2.0/items/list", b"", 400, NO_ROUTE),
        ("POST", f"{ITEM}a", b"{}", 400, NO_ROUTE),
        ("GET", f"{VARIANT}A/variants/B", b"", 404, not_found("manageNumber=a, variantId=B")),
        ("PUT", f"{VARIANT}a/variants/b", b'{"mode":"ABSOLUTE"}', 400, mandatory("quantity")),
        ("DELETE", f"{VARIANT}{LONG}/variants/b", b"", 400, LONG_NUMBER),
        ("POST", "/es/2.0/inventories/bulk-upsert", b"{}", 400, EMPTY),
        (
            "POST",
            "/es/2.0/inventories/bulk-upsert",
            b'{"inventories":[{"manageNumber":"a","variantId":"b","mode":"ABSOLUTE"}]}',
            400,
            mandatory("inventories[0].quantity"),
        ),
        ("POST", "/es/2.1/inventories/bulk-get", b'{"inventories":[]}', 400, mandatory("inventories")),
        (
            "POST",
            "/es/2.1/inventories/bulk-get",
            b'{"inventories":[{"manageNumber":"a","variantId":"b"}]}',
            200,
            b'{"inventories":[]}',
        ),
        (
            "GET",
            "/es/2.0/inventories/bulk-get/range",
            b"",
            400,
            error("IE0105", "One or both of minQuantity and maxQuantity query parameters is/are required."),
        ),
        ("GET", "/es/2.0/inventories/bulk-get/range?minQuantity=1", b"", 200, b'{"inventories":[]}'),
        ("GET", "/es/2.1/inventories/variant-lists/manage-numbers/a", b"", 404, not_found("manageNumber=a")),
        ("GET", "/es/2.0/inventories/variant-lists/manage-numbers/a", b"", 400, NO_ROUTE),
        ("GET", "/es/2.0/navigation/genres/0", b"", 200, b'{"genre":{"children":[]}}'),
        ("GET", "/es/2.0/navigation/genres/100000", b"", 404, NO_GENRE),
        ("GET", "/es/2.0/navigation/genres/x", b"", 400, error("invalidGenreId", "The genreId parameter is invalid.")),
        ("GET", "/es/2.0/navigation/genres/100000/attributes/", b"", 404, NO_GENRE),
        (
            "GET",
            "/es/2.0/navigation/genres/100000/attributes/-/dictionaryValues?page=1&limit=1",
            b"",
            400,
            error("requiredAttributeId", "The attributeId parameter is invalid."),
        ),
        ("GET", f"{CATEGORIES}shop-categories/category-ids/14120", b"", 404, not_found("categoryId:14120")),
        ("POST", f"{CATEGORIES}shop-categories", b'{"title":"x"}', 400, mandatory("categorySetId")),
        ("PUT", f"{CATEGORIES}shop-categories/category-ids/1", b"{}", 400, EMPTY),
        ("PUT", f"{CATEGORIES}shop-category-trees/category-set-ids/x", b'{"children":[{}]}', 400, BAD_SET),
        ("PUT", f"{CATEGORIES}item-mappings/manage-numbers/a", b'{"a":1}', 400, mandatory("categoryIds")),
        ("DELETE", f"{CATEGORIES}item-mappings/manage-numbers/a", b"", 404, not_found("manageNumber=a")),
    ],
)
def test_a_request_that_lacks_something_is_refused_to_the_byte_and_changes_nothing(
    shop: Shop, *, method: str, path: str, body: bytes, status: int, answer: bytes
) -> None:
    before = shop.simulator.control("GET", "/digest")["digest"]
    told = call(shop, method, path, body)
    assert (told.status, told.body.decode()) == (status, answer.decode())
    media_type = "application/json; charset=utf-8" if "/navigation/" in path else "application/json"
    gateway = told.body == NO_ROUTE
    assert told.header("Content-Type") == ("application/json;charset=UTF-8" if gateway else media_type)
    assert shop.simulator.control("GET", "/digest")["digest"] == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{ITEM}a", b'{"title":"x","itemType":"NORMAL","genreId":"1","variants":{"a":{}}}'),
        ("PUT", f"{VARIANT}a/variants/b", b'{"mode":"ABSOLUTE","quantity":1}'),
        ("POST", f"{CATEGORIES}shop-categories", b'{"title":"x","categorySetId":"0"}'),
        # It would delete the tree.
        ("PUT", f"{CATEGORIES}shop-category-trees/category-set-ids/0", b""),
    ],
)
def test_what_lacks_nothing_says_that_it_is_not_simulated(shop: Shop, method: str, path: str, body: bytes) -> None:
    told = call(shop, method, path, body)
    assert (told.status, told.json()["errors"][0]["code"]) == (501, "SIM-501")


def cabinet(function: str, message: str, code: int | None = None) -> str:
    holder = "".join(part.capitalize() for part in function.split("."))
    holder = holder[0].lower() + holder[1:] + "Result"
    result = "" if code is None else f"<{holder}><resultCode>{code}</resultCode></{holder}>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<result><status><interfaceId>{function}</interfaceId><systemStatus>NG</systemStatus>"
        f"<message>{message}</message><requestId>?</requestId></status>{result}</result>"
    )


def shown(answer: WireAnswer) -> str:
    assert answer.header("content-type") == "text/xml; charset=utf-8"
    return re.sub("<requestId>[0-9a-f-]{36}<", "<requestId>?<", answer.body.decode())


@pytest.mark.parametrize(
    ("function", "body", "status", "message", "code"),
    [
        ("file.insert", b"<request><fileInsertRequest/></request>", 400, "ParameterError", 3001),
        ("file.update", b"<request><fileUpdateRequest/></request>", 400, "ParameterError", 3001),
        ("file.delete", b"<request><fileDeleteRequest/></request>", 400, "ParameterError", 3001),
        ("file.delete", b"<request><file><fileId>1</fileId></file></request>", 400, "Not exists file", 3004),
        ("trashbox.file.revert", b"<request><fileId>1</fileId></request>", 400, "ParameterError", 3001),
        ("folder.insert", b"<request/>", 400, "Request data is wrong format", None),
        ("folder.insert", b"<request><folder/></request>", 400, "ParameterError", 3001),
        ("folder.files.get?folderId=7", b"", 400, "Not exists folder", 3005),
        ("files.search", b"", 400, "ParameterError", 3001),
        ("folders.get?offset=0", b"", 400, "ParameterError", 3001),
    ],
)  # fmt: skip
def test_the_cabinet_refuses_in_its_xml(
    shop: Shop, *, function: str, body: bytes, status: int, message: str, code: int | None
) -> None:
    name, _, query = function.partition("?")
    path = f"{CABINET}{name.replace('.', '/')}" + (f"?{query}" if query else "")
    answer = call(shop, "POST" if body else "GET", path, body, media_type="application/xml; charset=utf-8")
    assert (answer.status, shown(answer)) == (status, cabinet(f"cabinet.{name}", message, code))


def test_an_empty_cabinet_shows_its_base_folder(shop: Shop) -> None:
    answer = call(shop, "GET", f"{CABINET}folders/get?offset=1&limit=100")
    text = shown(answer)
    assert answer.status == 200
    assert "<systemStatus>OK</systemStatus><message>OK</message>" in text
    assert "<requests><offset>1</offset><limit>100</limit></requests>" in text
    assert "<cabinetFoldersGetResult><resultCode>0</resultCode><folderAllCount>1</folderAllCount>" in text


def test_dead_keys_are_told_by_the_gateway_and_by_the_cabinet_in_its_own_xml(simulator: Simulator) -> None:
    shop = open_shop(simulator, "999002")
    wrong = authorization(shop.service_secret, "SL999002_AAAAAAAAAAAAAAAA")
    for path in (f"{ITEM}a", "/es/2.0/navigation/version", f"{CATEGORIES}shop-category-set-lists"):
        told = call(shop, "GET", path, key=wrong)
        assert (told.status, told.body) == (401, UNAUTHORISED)
    for key in (wrong, "ESA ???"):
        told = call(shop, "GET", f"{CABINET}usage/get", key=key)
        assert (told.status, shown(told)) == (401, cabinet("cabinet.usage.get", "AuthError"))


@pytest.mark.parametrize(
    ("grant", "method", "path"),
    [
        ("items.patch", "PATCH", f"{ITEM}a"),
        ("inventories.bulk.upsert", "POST", "/es/2.0/inventories/bulk-upsert"),
        ("inventories.bulk.upsert", "POST", "/es/2.1/inventories/bulk-upsert"),
        ("navigation.genres.attributes.get", "GET", "/es/2.0/navigation/genres/1/attributes"),
        ("categories.category-trees.upsert", "PUT", f"{CATEGORIES}shop-category-trees/category-set-ids/0"),
        ("cabinet.folders.get", "GET", f"{CABINET}folders/get"),
        ("shop.topDisplay", "GET", "/es/1.0/shop/topDisplay"),
        ("rpay.purchaseItem.getOrderItem", "POST", "/es/2.0/purchaseItem/getOrderItem"),
    ],
)
def test_a_function_that_is_off_is_es04_01_whatever_its_service(shop: Shop, grant: str, method: str, path: str) -> None:
    shop.control("PUT", f"/grants/{grant}", {"enabled": False})
    told = call(shop, method, path)
    shop.control("PUT", f"/grants/{grant}", {"enabled": True})
    assert (told.status, told.body) == (400, NOT_ENABLED)
    entry = shop.simulator.control("GET", "/journal?kind=request&limit=10000")["entries"][-1]
    assert entry["function"] == grant.removeprefix("rpay.purchaseItem.").removeprefix("shop.")


def test_methods_of_one_path_are_functions_of_their_own(shop: Shop) -> None:
    shop.control("PUT", "/grants/items.delete", {"enabled": False})
    assert call(shop, "GET", f"{ITEM}a").status == 404
    assert call(shop, "DELETE", f"{ITEM}a").body == NOT_ENABLED
    shop.control("PUT", "/grants/items.delete", {"enabled": True})


def test_media_types_are_refused_in_each_familys_words(shop: Shop) -> None:
    told = call(shop, "PUT", f"{ITEM}a", b"<a/>", media_type="text/plain")
    assert (told.status, told.body) == (415, error("GE0012", "Media Type text/plain is not supported"))
    assert call(shop, "PUT", f"{ITEM}a", b"{}", media_type="application/json").body == EMPTY
    assert call(shop, "POST", f"{CABINET}file/delete", b"<request></request>", media_type="x/y").status == 400
    told = call(shop, "POST", "/es/1.0/shop/topDisplay", b"{}", media_type="application/json")
    assert (told.status, b"C005" in told.body) == (400, True)


def test_pages_of_the_shop_are_read_as_not_found_and_written_up_to_their_model(shop: Shop) -> None:
    told = call(shop, "GET", "/es/1.0/shop/topDisplay")
    assert (told.status, b"<resultCode>C008</resultCode>" in told.body) == (404, True)
    told = call(shop, "POST", "/es/1.0/shop/topDisplay", b"<a/>", media_type="application/xml; charset=utf-8")
    assert (told.status, b"<resultCode>C007</resultCode>" in told.body) == (400, True)
    body = b"<a><updateModel><x>1</x></updateModel></a>"
    told = call(shop, "POST", "/es/1.0/shop/topDisplay", body, media_type="application/xml; charset=utf-8")
    assert (told.status, b"<resultCode>SIM-501</resultCode>" in told.body) == (501, True)
    assert call(shop, "POST", "/es/1.0/shop/shopMaster", body).status == 405


def test_rates_are_five_times_as_high_where_the_dossier_says_so_and_the_cabinet_says_403(simulator: Simulator) -> None:
    simulator.control("PUT", "/limits", {"requests_per_second": 1, "burst": 5, "shop": "999007"})
    shop = open_shop(simulator, "999007", is_limited=True)
    statuses = [call(shop, "GET", f"{CABINET}usage/get").status for _ in range(6)]
    assert statuses == [200] * 5 + [403]
    assert shown(call(shop, "GET", f"{CABINET}usage/get")) == cabinet("cabinet.usage.get", "QPSLimit")
    by_group = {one["group"]: one for one in simulator.control("GET", "/limits")["groups"] if one["shop"] == shop.id}
    assert by_group["cabinet"]["requests_per_second"] == 1
    call(shop, "GET", f"{ITEM}a")
    by_group = {one["group"]: one for one in simulator.control("GET", "/limits")["groups"] if one["shop"] == shop.id}
    assert by_group["items_read"]["requests_per_second"] == 5


def test_unknown_paths_are_404_where_that_is_assumed(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running_simulator(tmp_path_factory.mktemp("routes"), {"unknown_route": "404"}) as running:
        shop = open_shop(running, "999001")
        assert call(shop, "GET", "/es/2.0/inventories/bulk/get").status == 404
