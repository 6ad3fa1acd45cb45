"""The tasks: each is its config, its model, how it predicts and how it is scored."""
