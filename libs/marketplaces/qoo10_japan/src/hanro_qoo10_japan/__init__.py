"""Qoo10 Japan (eBay Japan) as a plug-in of hanro; loading this alone loads no part of it."""
