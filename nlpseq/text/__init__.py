"""Text before it is numbers: tokenizers, vocabularies, tag sequences, metrics. No torch here."""
