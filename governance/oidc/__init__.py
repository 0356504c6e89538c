"""OpenID Connect: authorization code flow with PKCE, for people (docs/decisions/0012) and for officers."""
