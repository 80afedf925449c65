"""Decides what sightings, facts and wishes change. Values in, values out."""
