"""States what Qoo10 Japan asks of a seller and limits: data that services and console read."""
