"""The commands: one per file, each a thin twin of a library function. Importing them brings no torch."""
