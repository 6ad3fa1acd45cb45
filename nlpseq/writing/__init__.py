"""What language models write: continuations, drawn or searched for, and suggestions of the next word.

On NumPy and without torch: whatever reads gives the log-probabilities of what may follow (`memory.py`).
"""
