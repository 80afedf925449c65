"""States that nothing can be done at Qoo10 Japan in this version, and where it is done by hand."""

from collections.abc import Mapping
from types import MappingProxyType

from hanro.errors import MenuPath
from hanro.marketplace.types import Absent, Capability, Channel, Support, Trigger
from hanro_qoo10_japan.declared.words import API_KEY, DELIVERY, QSM, both

NOT_IN_THIS_VERSION = both(
    "この版の hanro では未対応です。QSM で操作してください。", "not in this version; do it in QSM"
)


def _later(menu: MenuPath | None = None) -> Absent:
    return Absent(reason=NOT_IN_THIS_VERSION, source="hanro: not in this version", menu=menu)


# Orders, shipments and claims stand on one page of QSM (qoo10-japan 7), messages and goods on pages without a
# documented path.
_PATHS: Mapping[Capability, MenuPath] = (
    dict.fromkeys(
        (
            Capability.FIND_ORDERS,
            Capability.FETCH_ORDER,
            Capability.READ_PAYMENTS,
            Capability.ACCEPT,
            Capability.ACCEPT_LINE,
            Capability.REFUSE_LINE,
            Capability.ANNOUNCE_DELAY,
            Capability.SHIP,
            Capability.SHIP_LINE,
            Capability.CORRECT_SHIPMENT,
            Capability.CANCEL_ORDER,
            Capability.CANCEL_LINE,
            Capability.CANCEL_QUANTITY,
            Capability.CANCEL_SHIPPED,
            Capability.REFUND_AMOUNT,
            Capability.ANSWER_CANCELLATION,
            Capability.ANSWER_RETURN,
            Capability.ANSWER_EXCHANGE,
        ),
        DELIVERY,
    )
    | {Capability.RENEW_KEY: API_KEY, Capability.KEY_EXPIRY: API_KEY}
    | dict.fromkeys((Capability.MESSAGE_BUYER, Capability.READ_INQUIRIES, Capability.ANSWER_INQUIRY), QSM)
)

CAPABILITIES: Mapping[Capability, Support] = MappingProxyType(
    {capability: _later(_PATHS.get(capability)) for capability in Capability}
)
CHANNELS: Mapping[Trigger, Channel | Absent] = MappingProxyType({trigger: _later(QSM) for trigger in Trigger})
