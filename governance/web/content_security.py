"""What pages may load and run, as the header Content-Security-Policy says it."""

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# The admin's theme (Alpine) evaluates expressions and writes styles; it is for officers only and loads nothing foreign.
ADMIN = STRICT.replace("script-src 'self'", "script-src 'self' 'unsafe-eval' 'unsafe-inline'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
DOCS = STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


def policy_of(path: str) -> str:
    """Return the policy of a page."""
    if path.startswith("/admin/"):
        return ADMIN
    return DOCS if path.startswith("/api/docs") else STRICT
