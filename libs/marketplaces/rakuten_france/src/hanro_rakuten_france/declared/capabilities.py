"""States that nothing can be done at Rakuten France in this version, and where it is done by hand."""

from collections.abc import Mapping
from types import MappingProxyType

from hanro.marketplace.types import Absent, Capability, Channel, Support, Trigger
from hanro_rakuten_france.declared.words import ACCOUNT, DEVELOPER, both

NOT_IN_THIS_VERSION = both(
    "この版の hanro では未対応です。Rakuten France のサイトで操作してください。",
    "not in this version; do it on Rakuten France's web site",
)


def _later(capability: Capability) -> Absent:
    menu = DEVELOPER if capability in _OF_THE_TOKEN else ACCOUNT
    return Absent(reason=NOT_IN_THIS_VERSION, source="hanro: not in this version", menu=menu)


# Copied by hand where it stands: rakuten-france 2.1 [2+]. Whatever else is done inside the seller account (seed 004).
_OF_THE_TOKEN = frozenset({Capability.RENEW_KEY, Capability.KEY_EXPIRY})

CAPABILITIES: Mapping[Capability, Support] = MappingProxyType(
    {capability: _later(capability) for capability in Capability}
)
CHANNELS: Mapping[Trigger, Channel | Absent] = MappingProxyType(
    dict.fromkeys(Trigger, _later(Capability.MESSAGE_BUYER))
)
