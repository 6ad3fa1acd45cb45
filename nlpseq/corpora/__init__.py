"""Corpora: the registry, verified downloads, and readers of each format. No torch here."""
