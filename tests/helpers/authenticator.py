"""A passkey in software: what a browser and its authenticator answer to WebAuthn options."""

import os

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

ORIGIN = "http://localhost:8000"


class Authenticator:
    def __init__(self, host="localhost", origin=ORIGIN):
        self.host, self.origin = host, origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = os.urandom(32)
        self.counter = 0

    def creates(self, options):
        credential = AttestedCredentialData.create(
            Aaguid.NONE, self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.AT
        data = AuthenticatorData.create(sha256(self.host.encode()), flags, self.counter, credential)
        client = self._client("webauthn.create", options)
        made = AttestationObject.create("none", data, {})
        return self._answer(clientDataJSON=websafe_encode(client), attestationObject=websafe_encode(made))

    def uses(self, options, flags=AuthenticatorData.FLAG.UP):
        data = AuthenticatorData.create(sha256(self.host.encode()), flags, self.counter)
        client = self._client("webauthn.get", options)
        signature = self.key.sign(data + sha256(client), ec.ECDSA(SHA256()))
        return self._answer(
            clientDataJSON=websafe_encode(client),
            authenticatorData=websafe_encode(data),
            signature=websafe_encode(signature),
        )

    def _client(self, kind, options):
        challenge = websafe_decode(options["challenge"])
        return CollectedClientData.create(type=kind, challenge=challenge, origin=self.origin)

    def _answer(self, **response):
        number = websafe_encode(self.credential_id)
        return {
            "id": number,
            "rawId": number,
            "type": "public-key",
            "clientExtensionResults": {},
            "response": response,
        }
