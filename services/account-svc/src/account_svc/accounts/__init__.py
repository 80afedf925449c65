"""Says what happens in which order when accounts are linked, given credentials, checked and used."""
