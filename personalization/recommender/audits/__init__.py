"""Audits of a trained model as pure functions of the model and the people it was trained on: figures, no verdicts."""
