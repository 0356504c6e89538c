"""Outputs under review: personal data, sealed and bound to the person, the decision and the model they were made by."""
