"""catalog-svc: products, listings and stock of the sellers."""
