"""Plays a marketplace's mail relay: real SMTP with STARTTLS, logins per shop, sender and recipient rules, an inbox."""
