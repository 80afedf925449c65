"""Plays the order download of RMS: the shop's orders as CSV. Source: rakuten-ichiba-orders 13."""
