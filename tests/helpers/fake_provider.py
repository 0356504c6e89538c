"""An OpenID Connect provider on this machine: a real server, real keys, and every fault a test asks it to have."""

import base64
import hashlib
import json
import threading
import time
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "assent", "s3cret/with+signs"


@lru_cache
def rsa_key(owner: str, **members: str) -> RSAKey:
    """The key of an owner, made once for all tests: looking for two primes takes longer than a test."""
    return RSAKey.generate_key(2048, members)


class FakeProvider:
    """Issues codes to whoever ``signs_in`` and exchanges each once, with the verifier that belongs to it."""

    def __init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self.key = rsa_key("provider", kid="first", use="sig")
        self.published = [self.key]
        self.codes: dict[str, dict[str, str]] = {}
        self.requests: list[str] = []
        self.claims: dict[str, Any] = {}  # replace or (with None) take away claims of the next tokens
        self.configuration: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}  # path -> callable(handler) instead of the ordinary answer
        self.make_token = self.signed
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def signs_in(self, location: str, person: str) -> dict[str, str]:
        """Do what the provider does once the person has entered a password; return the parameters of the way back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = {**asked, "person": person}
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def claims_for(self, asked: dict[str, str]) -> dict[str, Any]:
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": asked["person"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            "email": "erika@example.org",
            "name": "Erika Mustermann",
        }
        return {name: value for name, value in {**usual, **self.claims}.items() if value is not None}

    def signed(self, claims: dict[str, Any]) -> str:
        return jws.serialize_compact({"alg": "RS256", "kid": self.key.kid}, json.dumps(claims).encode(), self.key)

    def unsigned(self, claims: dict[str, Any]) -> str:
        parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."

    def signed_with_the_secret(self, claims: dict[str, Any]) -> str:
        key = OctKey.import_key(CLIENT_SECRET.ljust(32, "x"))
        return jws.serialize_compact({"alg": "HS256", "kid": "first"}, json.dumps(claims).encode(), key)

    def signed_by_a_stranger(self, claims: dict[str, Any]) -> str:
        stranger = rsa_key("another", kid="first")
        return jws.serialize_compact({"alg": "RS256", "kid": "first"}, json.dumps(claims).encode(), stranger)

    def bringing_its_own_key(self, claims: dict[str, Any]) -> str:
        stranger = rsa_key("another")
        header = {"alg": "RS256", "jwk": stranger.as_dict(private=False)}
        return jws.serialize_compact(header, json.dumps(claims).encode(), stranger)

    def altered(self, claims: dict[str, Any]) -> str:
        head, _payload, signature = self.signed(claims).split(".")
        other = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "customer-2"}).encode()).rstrip(b"=").decode()
        return f"{head}.{other}.{signature}"

    def document(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "authorization_response_iss_parameter_supported": True,
                **self.configuration,
            }
        if path == "/keys":
            return 200, {"keys": [key.as_dict(private=False) for key in self.published]}
        if path == "/token":
            return self._exchange(form, authorization)
        return 404, {}

    def _exchange(self, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        asked = self.codes.pop(form.get("code", ""), None)
        expected = "Basic " + base64.b64encode(b"assent:s3cret%2Fwith%2Bsigns").decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).decode()
        if (
            asked is None
            or authorization != expected
            or challenge.rstrip("=") != asked["code_challenge"]
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.make_token(self.claims_for(asked))}


def _handler(provider: FakeProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer({name: values[0] for name, values in parse_qs(body).items()})

        def answer(self, form: dict[str, str]) -> None:
            provider.requests.append(self.path)
            if self.path in provider.answers:
                try:
                    provider.answers[self.path](self)
                except OSError:
                    self.close_connection = True
                return
            status, document = provider.document(self.path, form, self.headers.get("Authorization", ""))
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    return Handler
