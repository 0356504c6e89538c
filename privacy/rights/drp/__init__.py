"""Data Rights Protocol 1.0 (Consumer Reports): requests of authorised agents, over the same states as every door."""
