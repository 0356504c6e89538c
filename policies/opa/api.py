"""Endpoints for OPA servers that pull: bundle, discovery, status, decision logs. Scope ``opa``."""

import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.http.problems import InvalidRequest, NotFound, Unavailable
from common.http.rest import AnyAnswer, BodyTooLarge, actor_of
from policies.bundles import bundle_keys, loading
from policies.bundles.bundle_keys import BundleKey
from policies.opa import bundle_files, described, long_poll, reported_decisions, status
from policies.opa.described import GZIP, LONG_POLLING

_WAIT = re.compile(r"(?:^|[;,\s])wait=([0-9]{1,4})(?=$|[;,\s])")
_ETAG = re.compile(r'"([^"]*)"')
MAX_PACKED_BYTES = 1024 * 1024
MAX_BYTES = 8 * 1024 * 1024


class PackedBody(BaseParser):
    """Parser of bytes, unpacked if they came packed, up to a limit on both."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body: bytes = stream.read(MAX_PACKED_BYTES + 1)
        if len(body) > MAX_PACKED_BYTES:
            raise BodyTooLarge(f"The body is larger than {MAX_PACKED_BYTES // 1024} KiB as it was sent.")
        encoding = parser_context["request"].headers.get("Content-Encoding", "") if parser_context else ""
        return _unpacked(body) if encoding.strip().lower() == "gzip" else body


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(body, MAX_BYTES)
    except zlib.error:
        raise InvalidRequest("The body is not gzip.") from None
    if unpacking.unconsumed_tail:
        raise BodyTooLarge(f"The body is larger than {MAX_BYTES // 1024} KiB once unpacked.")
    if not unpacking.eof or unpacking.unused_data:
        raise InvalidRequest("The body is not one whole gzip file.")
    return plain


class _OpaView(APIView):
    required_scope = "opa"
    content_negotiation_class = AnyAnswer
    parser_classes = [PackedBody]


class BundleView(_OpaView):
    """The revision in force, signed by the key of that id or the current one. ``Prefer: wait=N``: wait for another."""

    read: Callable[[], str] = staticmethod(long_poll.revision_in_force)

    @described.revision
    def get(self, request: Request, key_id: str = "") -> HttpResponse:
        return _revision(request, _key(key_id), self.read)


class UnsignedBundleView(_OpaView):
    """The revision in force for servers that cannot verify, where the operator enables that."""

    @described.revision
    def get(self, request: Request) -> HttpResponse:
        if not settings.OPA_UNSIGNED_BUNDLES:
            raise NotFound("Unsigned bundles are not given out here (OPA_UNSIGNED_BUNDLES).")
        return _revision(request, None, long_poll.revision_in_force)


class CandidateView(BundleView):
    """The bundle for the server that evaluates candidates: the candidate's revision during a rollout."""

    read: Callable[[], str] = staticmethod(long_poll.revision_of_the_candidate)


class DiscoveryView(_OpaView):
    """The configuration of a server that knows only Assent's address; signed for one that knows a key already."""

    @described.discovery
    def get(self, request: Request, key_id: str = "") -> HttpResponse:
        bundle_keys.current()  # makes the first, and refuses where this process cannot sign
        packed = bundle_files.discovery(bundle_keys.usable(), _key(key_id) if key_id else None)
        return _file(lambda: packed, f"sha256:{hashlib.sha256(packed).hexdigest()}", _known_tags(request), GZIP)


class StatusView(_OpaView):
    """Keep the status an OPA server reports of itself."""

    @described.status
    def post(self, request: Request) -> Response:
        status.keep_status(_body(request), caller=actor_of(request))
        return Response({})


class LogsView(_OpaView):
    """Store the decisions an OPA server reports; what cannot be read is counted, and does not hold up the others."""

    @described.decisions
    def post(self, request: Request) -> Response:
        stored, refused = reported_decisions.store_decisions(_body(request), caller=actor_of(request))
        return Response({"stored": stored, "refused": refused})


def _body(request: Request) -> bytes:
    body: Any = request.data
    return body if isinstance(body, bytes) else b""  # where nothing was sent, nothing was parsed


def _wait_s(prefer: str) -> int:
    match = _WAIT.search(prefer)
    return min(int(match[1]), settings.OPA_LONG_POLL_S) if match else 0


def _key(key_id: str) -> BundleKey:
    if not key_id:
        return bundle_keys.current()
    key = next((key for key in bundle_keys.usable() if key.kid == key_id), None)
    if key is None:
        # A server elsewhere is not shown the folder of this one.
        raise NotFound(
            "No key of this id signs bundles. The id of the current one, where the instance runs:"
            " ./assent manage signing_keys list --home DIR"
        )
    return key


def _revision(request: Request, key: BundleKey | None, read: Callable[[], str]) -> HttpResponse:
    known, wait_s = _known_tags(request), _wait_s(request.headers.get("Prefer", ""))
    revision = read()
    refused = False
    if wait_s and _tag(revision, key) in known:
        refused = not long_poll.wait_for_another(revision, wait_s, read=read)
        revision = read()
    # Who was not kept waiting must not ask again at once.
    type_ = GZIP if refused or not settings.OPA_LONG_POLL_S else LONG_POLLING
    return _file(lambda: _bundle(revision, key), _tag(revision, key), known, type_)


def _known_tags(request: Request) -> list[str]:
    return _ETAG.findall(request.headers.get("If-None-Match", ""))


def _tag(revision: str, key: BundleKey | None) -> str:
    """Return the entity tag. Another signature is another file: after a rotation servers verify anew."""
    return f"{revision}.{key.kid}" if key else revision


def _bundle(revision: str, key: BundleKey | None) -> bytes:
    try:
        return bundle_files.tarball(loading.loaded(revision), key)
    except Exception as exc:
        # As for a decision: a bundle that cannot be read or parsed is missing.
        raise Unavailable("The policy bundle in force cannot be read.") from exc


def _file(content: Callable[[], bytes], tag: str, known: list[str], content_type: str) -> HttpResponse:
    unchanged = tag in known
    response = HttpResponse(b"" if unchanged else content(), status=304 if unchanged else 200)
    response.headers["Content-Type"] = content_type
    response.headers["ETag"] = f'"{tag}"'
    response.headers["Cache-Control"] = "no-store"
    return response
