"""Rate limits of the pages that let people in, and of work that takes long (docs/operations.md names the figures)."""

from datetime import timedelta

from common.http.rate_limit import RateLimit

# Only attempts that fail are counted: many people may share one network.
LINKS_OPENED = RateLimit("links opened from network", 30, per=timedelta(minutes=5))
FILES_OPENED = RateLimit("answers opened from network", 30, per=timedelta(minutes=5))
CODES_TRIED = RateLimit("codes tried from network", 30, per=timedelta(minutes=5))
REQUESTS_FROM_NETWORK = RateLimit("requests without an account from network", 20, per=timedelta(hours=1))
SIGN_INS = RateLimit("sign-ins from network", 60, per=timedelta(minutes=5))
OFFICER_LOGINS = RateLimit("officer logins to account from network", 10, per=timedelta(minutes=15))
OFFICER_LOGINS_FROM_NETWORK = RateLimit("officer logins from network", 50, per=timedelta(minutes=15))
OFFICER_CODES = RateLimit("second factors of account", 10, per=timedelta(minutes=15))
OFFICER_PROVIDER_SIGN_INS = RateLimit("officers' sign-ins from network", 60, per=timedelta(minutes=5))
EVIDENCE_CHECKS = RateLimit("evidence checks by hand", 4, per=timedelta(hours=1))
