"""Plays Rakuten Ichiba: RMS WEB API and mail relay, written from the dossier rakuten-ichiba-orders alone."""
