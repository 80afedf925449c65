"""Plays changes of an order by the shop: destinations, lines, prices, coupons, and the amounts that follow."""
