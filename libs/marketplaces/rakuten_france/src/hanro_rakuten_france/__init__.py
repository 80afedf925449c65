"""Rakuten France as a plug-in of hanro; loading this alone loads no part of it."""
