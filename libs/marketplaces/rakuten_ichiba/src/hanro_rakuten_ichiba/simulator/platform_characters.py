"""Knows the platform-dependent characters (機種依存文字) that Rakuten refuses in free text."""

# Rows of Windows-31J that JIS X 0208 lacks: NEC's row 13, NEC's selection of IBM's extensions, IBM's extensions.
_LEAD_BYTES = frozenset({0x87, 0xED, 0xEE, 0xFA, 0xFB, 0xFC})


def has_platform_characters(text: str) -> bool:
    """Tell whether a text holds ①, ㈱, 髙 and their like; characters outside Windows-31J are none of them.

    Source: rakuten-ichiba-orders 2 [2+]; which characters count [?].
    """
    return any(octets[0] in _LEAD_BYTES for octets in (sign.encode("cp932", "ignore") for sign in text) if octets)
