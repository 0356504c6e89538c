"""Audits of versions of the house recommender: run in the background, kept signed, read by the release gates.

- ``recommender/audits`` holds the mathematics, ``suite`` what is run and how each result reads; neither knows Django.
- A run is a row (``models.AuditRun``): asked for on the page, by ``./assent model audit`` or after a training, taken up
  by the worker of long jobs, found again by a sweep where a worker was killed, as simulations are.
- What a run found is kept in its row as a document about one file, under a signature. For each audit a row of evidence
  is appended: the gates compare its few figures with the thresholds of the register.
- A version in use whose audit fails a gate that suspends (``GateDemand.suspends``) is suspended in the transaction of
  the evidence, by a protective change set that an officer looks at afterwards.

Read are events of the people a version was trained on, as far as they are still stored: a withdrawal and an erasure
have removed theirs. Restricted and held people are left out. People the version was not trained on are asked about
only with a permit to train. No figure is of fewer than k people.
"""
