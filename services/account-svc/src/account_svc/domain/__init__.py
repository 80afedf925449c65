"""Decides what happens to an account, whether credentials are well formed, and what a preflight means."""
