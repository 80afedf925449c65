"""Joins Rakuten Ichiba to hanro: the plug-in, and the simulator that plays the marketplace for it."""
