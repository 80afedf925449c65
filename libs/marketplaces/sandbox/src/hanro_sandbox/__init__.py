"""Plugs the sandbox into hanro: a marketplace of hanro's own, for test orders and as a template."""
