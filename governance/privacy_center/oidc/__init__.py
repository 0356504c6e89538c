"""Sign-in of people through the business's OpenID Connect provider, as an option (docs/decisions/0012).

Authorization code flow with PKCE. One claim of the ID token is the business's id of the person; it becomes a pseudonym
at once. No account is made here: nothing keeps a name, an address or the claim.
"""
