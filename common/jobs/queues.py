"""Queues of jobs by how long they may wait: a long job never holds up a withdrawal."""

from typing import Final

URGENT: Final = "urgent"  # what follows a person's choice: deletion after a withdrawal
PERIODIC: Final = "periodic"  # short and regular; also what names no queue
LONG: Final = "long"  # minutes to hours: training, verification, simulations, the nightly deletion
# Releases before these queues used Celery's own name; what they queued is still taken, with the short jobs.
FORMER: Final = "celery"
ALL: Final = (URGENT, PERIODIC, LONG)

LONGEST_JOB_S: Final = 6 * 3600  # no job may take longer: its process is ended
# A message that is not acknowledged by then is delivered again, so it has to lie above every time limit. Work whose
# worker was killed does not wait for it: the sweeps of every minute queue it anew.
VISIBILITY_TIMEOUT_S: Final = LONGEST_JOB_S + 3600


def taken_by(queue: str) -> str:
    """Return the queues of the worker for ``queue``, as Celery's option ``-Q`` takes them."""
    return f"{queue},{FORMER}" if queue == PERIODIC else queue
