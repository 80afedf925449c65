"""Judges a demo from outside: knows nothing of hanro but its REST, its topics and its mails, and imports none of it."""
