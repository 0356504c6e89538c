"""Playground: an officer plays a made-up person, and sees what each level would show and what the policy permits.

A made-up person has a region, an age band, an answer to a purpose and a few deeds, and no identity. Their answer is
computed as a person's would be: the facts are built by the decision path, judged by the rules in force, and the list
is made by the model in use under the obligations of that verdict.

What is different on purpose: the rules are asked of the embedded engine, so no OPA server logs a decision. Nothing goes
to the decision log, the counts of the monitors, a rollout or a review. The circuit breaker neither stops a play nor
hears of one. Only that an officer played stands in the audit trail, without what was played.
"""
