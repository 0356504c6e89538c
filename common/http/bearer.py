"""Bearer tokens of Authorization headers (RFC 6750)."""


def bearer_token(header: str) -> str | None:
    """Return the token of an Authorization header, or None where there is no well-formed one."""
    scheme, _, token = header.partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and 0 < len(token) <= 512 and token.isascii() else None
