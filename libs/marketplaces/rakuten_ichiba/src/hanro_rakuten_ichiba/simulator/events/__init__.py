"""Plays the system event notification: the marketplace POSTs XML to the shop. Source: rakuten-ichiba-orders 11 [1]."""
