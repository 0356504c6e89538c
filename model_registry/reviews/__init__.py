"""Reviews of outputs by people: what waits for one, its verdicts, and how far these agree."""
