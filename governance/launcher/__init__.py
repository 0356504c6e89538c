"""One instance of Assent on one machine: its folder, its embedded servers, its processes.

Nothing here imports Django or an app, so ``./assent`` answers at once.
"""
