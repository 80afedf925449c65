"""Plays items, stock, genres, shop categories and images up to what is refused before a change."""
