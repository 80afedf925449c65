"""Templates: what exists may be named, and nothing else may be done; what comes out is what a buyer reads."""

import pytest

from hanro.errors import Rejected
from notifier_svc.api.templates import sample
from notifier_svc.domain.templates import MAX_BODY_CHARACTERS, TemplateRefused
from notifier_svc.templates.language import check
from notifier_svc.templates.rendering import Renderer
from notifier_svc.templates.variables import describe

GOOD = """{{ buyer.name }} 様
注文番号: {{ order.external_id }} ({{ order.placed_at }})
{% for line in lines %}
{{ loop.index }}. {{ line.title }} x {{ line.quantity }}{% if line.unit_price %} {{ line.unit_price }}円{% endif %}
{% endfor %}
合計 {{ totals.total }}円{{ "" if totals.postage else " (送料別)" }}
{{ shop.name|upper ~ "より" }}
"""


def faults(body: str, subject: str = "ご注文") -> list[tuple[str, int, int, str]]:
    with pytest.raises(TemplateRefused) as refused:
        check(subject, body)
    return [(fault.place, fault.line, fault.column, fault.code) for fault in refused.value.faults]


def test_a_good_template_passes_and_reads_well() -> None:
    check("ご注文 {{ order.external_id }}", GOOD)
    rendered = Renderer().render("ご注文 {{ order.external_id }}", GOOD, sample())
    assert rendered.subject == "ご注文 999001-20260101-0000000001"
    assert rendered.body == (
        "見本 花子 様\n注文番号: 999001-20260101-0000000001 (2026-01-01 12:04)\n"
        "1. 見本の品 x 2 1,980円\n合計 4,460円\n見本商店より\n"
    )


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("{{ foo }}", ("body", 1, 4, "template-variable-unknown")),
        ("一行目\n二行目 {{ buyer.nmae }}", ("body", 2, 14, "template-variable-unknown")),
        ("{% if zz %}a{% endif %}", ("body", 1, 7, "template-variable-unknown")),
        ("{% if buyer.name %}a{% else %}{{ zz }}{% endif %}", ("body", 1, 34, "template-variable-unknown")),
        ("{% for line in lines %}{{ line.bad }}{% endfor %}", ("body", 1, 32, "template-variable-unknown")),
        ("{% for line in lines %}a{% endfor %}{{ line.title }}", ("body", 1, 8, "template-variable-unknown")),
        ("{{ buyer }}", ("body", 1, 4, "template-construct")),
        ("{{ buyer.__class__ }}", ("body", 1, 10, "template-variable-unknown")),
        ("{{ buyer.name.upper() }}", ("body", 1, 1, "template-construct")),
        ("{{ 'a' * 1000000000 }}", ("body", 1, 1, "template-construct")),
        ("{{ buyer.name|center(1000000000) }}", ("body", 1, 15, "template-construct")),
        ("{{ order['external_id'] }}", ("body", 1, 1, "template-construct")),
        ("{{ 'a' if buyer.name }}", ("body", 1, 8, "template-construct")),
        ("{% set a = 1 %}", ("body", 1, 1, "template-construct")),
        ("{% include 'x' %}", ("body", 1, 1, "template-construct")),
        ("{% for a in lines %}{% for b in lines %}{% endfor %}{% endfor %}", ("body", 1, 4, "template-construct")),
        ("{% for a in buyer.name %}{% endfor %}", ("body", 1, 4, "template-construct")),
        ("a\nb {% if %}", ("body", 2, 1, "template-syntax")),
        ("a\n{% for line in lines %}", ("body", 2, 1, "template-syntax")),
        (" \n ", ("body", 1, 1, "template-empty")),
        ("a\nb\x00", ("body", 2, 2, "template-construct")),
        ("あ" * MAX_BODY_CHARACTERS + "い", ("body", 1, MAX_BODY_CHARACTERS + 1, "template-too-large")),
    ],
)
def test_a_template_that_cannot_serve_every_order_is_refused_with_its_place(
    body: str, fault: tuple[str, int, int, str]
) -> None:
    assert faults(body) == [fault]


def test_a_subject_has_one_line_and_all_faults_are_named() -> None:
    assert faults("{{ x }}{{ y }}", subject="a\nb") == [
        ("subject", 2, 1, "template-construct"),
        ("body", 1, 4, "template-variable-unknown"),
        ("body", 1, 11, "template-variable-unknown"),
    ]


def test_a_line_that_ends_with_a_tag_stays_a_line() -> None:
    body = "{{ buyer.name }}{% if buyer.name %} 様{% endif %}\n  {% if buyer.name %}\nありがとう\n{% endif %}\n終\n"
    assert Renderer().render("s", body, sample()).body == "見本 花子 様\nありがとう\n終\n"


def test_what_renders_too_long_is_refused_and_not_cut() -> None:
    long = {**sample(), "lines": [{"title": "長" * 1000, "quantity": 1, "unit_price": ""}] * 1000}
    with pytest.raises(Rejected) as refused:
        Renderer().render("s", "{% for line in lines %}{{ line.title }}{% endfor %}", long)
    assert (refused.value.code, refused.value.field) == ("text-too-long", "body")


def test_a_variable_that_an_order_lacks_is_an_error_without_values() -> None:
    with pytest.raises(Rejected) as refused:
        Renderer().render("s", "{{ buyer.name }}{{ nothing }}", sample())
    assert refused.value.code == "template-broken"
    assert "花子" not in str(refused.value)


def test_the_sandbox_holds_even_for_what_the_check_would_refuse() -> None:
    with pytest.raises(Rejected):
        Renderer().render("s", "{{ buyer.name.__class__.__mro__ }}", sample())


def test_a_buyer_named_like_a_template_stays_text() -> None:
    variables = {**sample(), "buyer": {"name": "{{ shop.name }}{% raw %}"}}
    assert Renderer().render("s", "{{ buyer.name }}", variables).body == "{{ shop.name }}{% raw %}"


def test_every_variable_is_documented() -> None:
    text = describe()
    for name in ("shop.name", "order.external_id", "order.placed_at", "buyer.name", "line.title", "totals.payable"):
        assert f"`{name}`" in text


def test_a_letter_may_tell_where_each_parcel_is() -> None:
    body = "{% for parcel in parcels %}{{ parcel.carrier }} {{ parcel.number }} {{ parcel.url }}{% endfor %}"
    written = Renderer().render("s", body, sample())
    assert "見本運輸 123456789012 https://carrier.example.invalid/track?no=123456789012" in written.body
