"""States what Rakuten Ichiba asks of a seller, allows and limits: data that services and console read."""
