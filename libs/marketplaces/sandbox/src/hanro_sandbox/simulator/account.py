"""Answers what a shop may know of itself: its key, and what its seller set up."""

from hanro_sandbox.simulator.life import Market
from hanro_sandbox.simulator.shops import Key, Shop
from hanro_sandbox.simulator.wire import Tree, write_moment


def read_key(shop: Shop, key: Key) -> Tree:
    """Tell when the key ends that a request carries, or that its session key was made with."""
    return {"shop": shop.id, "expires_at": write_moment((key.made_with or key).expires_at)}


def open_session(market: Market, shop: Shop, key: Key) -> Tree:
    """Mint a session key; those before it live to their end."""
    made = market.shops.open_session(shop, key, market.now())
    return {"session_key": made.text, "expires_at": write_moment(made.expires_at)}


def read_shop(shop: Shop) -> Tree:
    """Tell the shop's name and what its seller set up."""
    return {
        "shop": {"id": shop.id, "name": shop.name},
        "return_address": {"id": "return-1", "name": "見本商店 返品係", "address": "東京都千代田区見本町1-2-3"},
        "shipping_groups": [
            {"id": "standard", "name": "通常便", "is_default": True},
            {"id": "cool", "name": "クール便"},
        ],
    }
