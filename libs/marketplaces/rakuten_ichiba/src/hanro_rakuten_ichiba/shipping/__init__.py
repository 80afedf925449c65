"""Registers parcels: what rows an order needs, how they are sent, and what became of them."""
