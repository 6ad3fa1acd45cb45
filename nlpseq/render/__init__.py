"""Predictions as text: one file per format, each a generator from answers to chunks, one chunk per answer.

Nothing here knows a model, a file or an option; only `terminal` imports rich.
"""
