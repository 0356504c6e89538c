"""When a process that ended is started again."""

from governance.launcher.processes.restarts import RestartPolicy


def run(policy: RestartPolicy, *, start: float, lasting: float) -> float:
    policy.started(start)
    policy.ended(start + lasting)
    return policy.due_at - (start + lasting)


def test_a_process_that_ends_at_once_waits_longer_each_time():
    policy, now, delays = RestartPolicy(), 100.0, []

    for _ in range(7):
        delays.append(run(policy, start=now, lasting=0.1))
        now = policy.due_at

    assert delays == [1, 2, 4, 8, 15, 15, 15]


def test_after_a_healthy_run_the_next_start_comes_at_once():
    policy = RestartPolicy()
    run(policy, start=0, lasting=1)

    assert run(policy, start=10, lasting=60) == 0
    assert run(policy, start=80, lasting=1) == 1


def test_five_ends_within_thirty_seconds_are_told_once():
    policy, now, complaints = RestartPolicy(), 0.0, []

    for _ in range(7):
        run(policy, start=now, lasting=0.1)
        complaints.append(policy.deserves_complaint())
        now = policy.due_at

    assert complaints == [False, False, False, False, True, False, False]
