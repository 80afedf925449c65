"""Holds what proves the parts of hanro: contract suites, fixtures and fakes. Production code never imports it."""
