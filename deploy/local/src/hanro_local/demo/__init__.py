"""Links a synthetic shop, lets buyers order, and checks from outside what became of every order."""
