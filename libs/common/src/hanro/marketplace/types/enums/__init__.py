"""Names every choice that the port knows; the value of each is its name in lower case, their order is meant."""
