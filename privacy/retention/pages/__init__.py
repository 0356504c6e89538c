"""Officers' pages of retention: schedules, and figures of runs."""
