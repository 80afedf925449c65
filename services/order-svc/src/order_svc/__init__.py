"""Finds the orders of linked accounts at their marketplaces, keeps them with their buyers, and accepts them."""
