"""What an application is given of a request, and what a client is given of an answer."""

import pytest

from governance.front import limits
from governance.web.front_pages import for_reader
from tests.helpers.front_server import Client, Echo, ask, request, serving


@pytest.fixture
def echo():
    with serving(Echo()) as address:
        yield address


def test_environ_holds_path_query_and_peer(echo):
    answer = ask(echo, request("/a%20b/%C3%A9?x=1%20", "X-Request-ID: 7", method="POST", body=b"abc"))

    given = answer.document()
    assert given["PATH_INFO"] == "/a b/\u00c3\u00a9"
    assert (given["QUERY_STRING"], given["REQUEST_METHOD"], given["body"]) == ("x=1%20", "POST", "abc")
    assert (given["REMOTE_ADDR"], given["SERVER_NAME"], given["HTTP_X_REQUEST_ID"]) == ("127.0.0.1", "127.0.0.1", "7")
    assert (given["CONTENT_LENGTH"], given["SERVER_PROTOCOL"]) == ("3", "HTTP/1.1")


def test_header_names_with_underscores_are_dropped(echo):
    given = ask(echo, request("/", "X_Forwarded_For: 1.2.3.4", "X-Real-IP: 5")).document()

    assert "HTTP_X_FORWARDED_FOR" not in given
    assert given["HTTP_X_REAL_IP"] == "5"


def test_repeated_headers_are_joined(echo):
    given = ask(echo, request("/", "Accept: a", "Accept: b", "Cookie: c=1", "Cookie: d=2")).document()

    assert given["HTTP_ACCEPT"] == "a,b"
    assert given["HTTP_COOKIE"] == "c=1; d=2"


def test_host_of_an_absolute_uri_counts(echo):
    given = ask(echo, request("http://other.example:81/p?q")).document()

    assert (given["HTTP_HOST"], given["PATH_INFO"], given["QUERY_STRING"]) == ("other.example:81", "/p", "q")


def test_chunked_body_gets_a_length(echo):
    head = request("/", "Transfer-Encoding: chunked", method="POST")
    given = ask(echo, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n").document()

    assert (given["body"], given["CONTENT_LENGTH"]) == ("abcde", "5")
    assert "HTTP_TRANSFER_ENCODING" not in given
    assert "HTTP_X_TRAILER" not in given


def test_connection_ends_after_what_follows_a_chunked_body(echo):
    chunked = request("/", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n"
    with Client(echo, chunked + request("/second")) as client:
        first = client.response()

        assert first.headers["connection"] == "close"
        assert client.is_ended()


def test_connection_is_kept_after_a_chunked_body(echo):
    chunked = request("/", "Transfer-Encoding: chunked", method="POST") + b"0\r\n\r\n"
    with Client(echo, chunked) as client:
        first = client.response()
        client.send(request("/second"))

        assert (first.status, client.response().document()["PATH_INFO"]) == (200, "/second")


@pytest.mark.parametrize("part", [1, 7, 4096])
def test_pipelined_requests_are_answered_in_order(echo, part):
    data = b"".join(request(f"/{number}", method="POST", body=b"x" * number) for number in range(5))
    with Client(echo) as client:
        for start in range(0, len(data), part):
            client.send(data[start : start + part])

        assert [client.response().document()["PATH_INFO"] for _ in range(5)] == [f"/{number}" for number in range(5)]


def test_thousand_pipelined_requests_are_answered(echo):
    with Client(echo, request("/health/live") * 1_000) as client:
        assert {client.response().status for _ in range(1_000)} == {200}


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_head_has_no_body_and_the_length_of_get(echo, method):
    with Client(echo, request("/", method=method)) as client:
        answer = client.response(to_head=method == "HEAD")
        client.send(request("/next"))

        assert int(answer.headers["content-length"]) > 0
        assert client.response().document()["PATH_INFO"] == "/next"


def test_http_1_0_ends_after_the_answer_unless_asked(echo):
    with Client(echo, b"GET / HTTP/1.0\r\n\r\n") as client:
        assert client.response().headers["connection"] == "close"
        assert client.is_ended()
    with Client(echo, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") as client:
        assert client.response().headers["connection"] == "keep-alive"
        client.send(request())
        assert client.response().status == 200


def test_body_is_awaited_with_100_continue(echo):
    with Client(echo, request("/", "Expect: 100-continue", "Content-Length: 3", method="POST")) as client:
        leave = client.response()
        client.send(b"abc")

        assert leave.status == 100
        assert client.response().document()["body"] == "abc"


def test_too_large_body_is_refused_before_it_is_sent(echo):
    length = f"Content-Length: {limits.BODY_BYTES + 1}"
    with Client(echo, request("/", "Expect: 100-continue", length, method="POST")) as client:
        answer = client.response()

        assert (answer.status, answer.document()["code"]) == (413, "body_too_large")
        assert client.is_ended()


def test_too_large_chunked_body_is_refused(echo):
    with Client(echo, request("/", "Transfer-Encoding: chunked", method="POST")) as client:
        client.send(b"50000\r\n" + b"x" * 0x50000)

        assert client.response().status == 413


def test_largest_body_arrives_whole(echo):
    answer = ask(echo, request("/", method="POST", body=b"x" * limits.BODY_BYTES))

    assert len(answer.document()["body"]) == limits.BODY_BYTES


def test_table_of_an_officer_may_be_larger_than_other_bodies(echo):
    table = b"x" * (limits.LARGE_BODY_BYTES + 1)

    assert ask(echo, request("/admin/releases/", method="POST", body=table)).status == 200
    assert ask(echo, request("/admin/releases/other", method="POST", body=table)).status == 413


def test_offered_protocols_are_not_taken_up(echo):
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")

    assert ask(echo, request("/", *offer)).status == 200
    assert ask(echo, request("/", *offer, method="POST", body=b"abc")).document()["body"] == "abc"


def test_liveness_is_answered_by_the_front():
    application = Echo()
    with serving(application) as address:
        answer = ask(address, request("/health/live"))

    assert (answer.status, answer.document()) == (200, {"status": "live"})
    assert application.paths == []


BROWSER = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "headers", "words"),
    [
        ("/admin/releases/", (BROWSER, "Accept-Language: de"), ("larger than 64 MiB", "./assent release FILE")),
        ("/admin/releases/other", (BROWSER,), ("larger than 1 MiB", "Open the page anew")),
        ("/privacy/request", (BROWSER, "Accept-Language: de"), ("größer als 256 KiB", "Seite neu öffnen")),
        ("/privacy/request", (BROWSER, "Cookie: assent_language=fr"), ("dépasse 256 KiB",)),
    ],
)
def test_what_is_too_large_is_a_page_for_a_browser_that_says_what_to_do(path, headers, words):
    length = f"Content-Length: {limits.TABLE_BYTES + 1}"
    with serving(Echo(), for_reader=for_reader) as address:
        answer = ask(address, request(path, *headers, length, method="POST"))

    assert (answer.status, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    page = answer.body.decode().replace("\xa0", " ")
    assert [word for word in words if word not in page] == []
    assert ("./assent release" in page) == (path == "/admin/releases/")


@pytest.mark.parametrize(("path", "accept"), [("/api/v1/events", BROWSER), ("/privacy/request", "Accept: */*")])
def test_what_is_too_large_is_a_problem_for_programs(path, accept):
    length = f"Content-Length: {limits.TABLE_BYTES + 1}"
    with serving(Echo(), for_reader=for_reader) as address:
        answer = ask(address, request(path, accept, length, method="POST"))

    assert answer.document()["code"] == "body_too_large"
