"""Hands over what is planned: claims, asks, renders, sends, settles."""
