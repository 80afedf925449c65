"""States what Rakuten France asks of a seller and limits: data that services and console read."""
