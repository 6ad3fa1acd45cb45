"""Training any task: the loop, the optimiser and its schedule, and the state that a run resumes from."""
