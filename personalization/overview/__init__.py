"""Overview of the recommender in use, for officers: what it answers, how fast, how fresh, and what it ranks by.

Everything is read from what is counted already: answers by day (``monitors.tally``, ``monitors.flushing``), the files
of this machine's processes that /metrics reads, closed streams of events, and the registry of models.
"""
