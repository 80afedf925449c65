"""Says which carriers a marketplace takes, and which of them an account uses."""

from collections.abc import Mapping
from dataclasses import replace

from hanro.db import Transaction
from hanro.errors import Rejected
from hanro.marketplace.port import Plugin
from hanro.marketplace.types import CarrierCatalogue, MarketplaceId
from order_svc.domain.accounts import Account
from order_svc.domain.carriers import CarrierChoice, check_choice
from order_svc.store import carriers as store

Plugins = Mapping[MarketplaceId, Plugin]


def catalogue_of(plugins: Plugins, marketplace_id: str) -> CarrierCatalogue:
    """Give the carriers that a marketplace takes.

    Raises:
        Rejected: it is not installed (not-found).
    """
    plugin = plugins.get(MarketplaceId(marketplace_id))
    if plugin is None:
        raise Rejected("there is no such marketplace", code="not-found")
    return plugin.carriers


def carrier_names(plugins: Plugins) -> dict[tuple[str, str], str]:
    """Give what buyers call carriers, by marketplace and code, in the language of the marketplace."""
    return {
        (str(plugin_id), carrier.code): carrier.names.ja if plugin.currency == "JPY" else carrier.names.en
        for plugin_id, plugin in plugins.items()
        for carrier in plugin.carriers.carriers
    }


async def choose(tx: Transaction, account: Account, choice: CarrierChoice, plugins: Plugins) -> CarrierChoice:
    """Store what an account says of its carriers, one version on from `choice.version`.

    Raises:
        Rejected: a carrier that its marketplace does not take (carrier-unsupported).
    """
    checked = check_choice(catalogue_of(plugins, account.marketplace_id), choice)
    chosen = replace(checked, version=choice.version + 1)
    await store.save_choice(tx, account.id, chosen)
    return chosen
