"""What marketplace simulators share: virtual clock, journal, fault dials, rate limits, exact answers, mail relay."""
