"""Reads what Rakuten Ichiba's bytes mean: characters in, values out, no I/O."""
