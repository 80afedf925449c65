"""Plays the shipping rows of orders: registered at once, or queued and told later."""
