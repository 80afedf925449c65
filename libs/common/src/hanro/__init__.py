"""hanro, a marketplace hub: what two of its services share and none owns."""
