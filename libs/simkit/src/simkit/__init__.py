"""What marketplace simulators share. Imports nothing of hanro."""
