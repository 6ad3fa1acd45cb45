"""The same networks on NumPy, for predictions alone: a few texts are answered before torch would have been imported.

Each module is the twin of one in `nn/` or `tasks/`, equation by equation, over the same `model.safetensors`; tests hold
them to one another within 1e-5. No torch here, and nothing is learnt here.
"""
