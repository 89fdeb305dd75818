"""Who may ask the server: names, origins, tokens, sizes, forms, and what a browser may do with its answers."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import re
import subprocess
import sys
from pathlib import Path

import pytest
from served import Served

from betapod.base.errors import ConfigError
from betapod.server.request_guard import Access, host_name, is_loopback
from betapod.server.serving import listening_socket, page_address


def test_a_name_that_points_here_is_refused(served: Served) -> None:
    """DNS rebinding: the page of a stranger gives this machine a name of its own, and asks."""
    for name in ("evil.example", f"evil.example:{served.port}", "127.0.0.1.evil.example", "", "[::ffff:7f00:1]"):
        for path in ("/", "/api", "/api/trials", "/api/openapi.json", "/nothing"):
            answer = served.get(path, Host=name)
            assert answer.status == 403, (name, path)
            assert answer.problems[0]["kind"] == "wrong-host"
    for name in (f"127.0.0.1:{served.port}", f"localhost:{served.port}", "LOCALHOST", f"[::1]:{served.port}"):
        assert served.get("/api", Host=name).status == 200, name


def test_the_page_of_another_server_is_refused(served: Served) -> None:
    here = f"http://127.0.0.1:{served.port}"
    for origin in ("http://evil.example", "null", "http://localhost:1", "https://127.0.0.1"):
        for method, path in (("POST", "/api/models/check"), ("GET", "/api/trials")):
            answer = served.ask(method, path, {} if method == "POST" else None, {"Origin": origin})
            assert (answer.status, answer.problems[0]["kind"]) == (403, "wrong-origin"), origin
    assert served.get("/api", Origin=here).status == 200
    for site in ("cross-site", "same-site"):
        assert served.ask("GET", "/api", headers={"Sec-Fetch-Site": site}).status == 403
    assert served.ask("GET", "/api", headers={"Sec-Fetch-Site": "same-origin"}).status == 200
    # A link elsewhere may lead to the page.
    assert served.ask("HEAD", "/", headers={"Sec-Fetch-Site": "cross-site"}).status == 200


def test_a_form_of_another_page_cannot_post(served: Served) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = served.ask("POST", "/api/models/check", headers={"Content-Type": kind}, raw=b'{"equations": ""}')
        assert (answer.status, answer.problems[0]["kind"]) == (415, "wrong-format"), kind


def test_what_is_too_large_is_not_read(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.putrequest("POST", "/api/models/check")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(10**12))
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == 413
    connection.close()
    # Nor where the length is not told; who goes on sending may find the line cut.
    chunks = (b" " * 2**20 for _ in range(9))
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    with contextlib.suppress(ConnectionError):
        connection.request(
            "POST", "/api/models/check", chunks, {"Content-Type": "application/json"}, encode_chunked=True
        )
        assert connection.getresponse().status == 413
    connection.close()
    assert served.get("/api").status == 200


def test_answers_say_what_a_browser_may_do(served: Served) -> None:
    page, api, wrong = served.get("/"), served.get("/api"), served.get("/nothing")
    for answer in (page, api, wrong):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "set-cookie" not in answer.headers and "access-control-allow-origin" not in answer.headers
    assert api.headers["cache-control"] == "no-store"
    assert api.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    policy = page.headers["content-security-policy"]
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert allowed["default-src"] == "'none'" and allowed["connect-src"] == "'self'"
    assert re.fullmatch(r"('sha256-[\w+/=]{44}' )+'wasm-unsafe-eval'", allowed["script-src"])
    text = gzip.decompress(page.body).decode()
    assert 'id="view-server"' in text
    assert not re.search(
        r"https?://(?!www\.w3\.org/2000/svg)", re.sub(r'<script type="text/plain".*?</script>', "", text)
    )


def test_what_stays_is_not_sent_twice(served: Served) -> None:
    for path in ("/", "/parts/data-draws", "/api/models", "/api/evidence/terms/product", "/api/openapi.json"):
        first = served.get(path)
        tag = first.headers["etag"]
        assert first.status == 200 and first.headers["cache-control"] == "no-cache", path
        for known in (tag, f'"other", W/{tag}', "*"):
            again = served.get(path, **{"If-None-Match": known})
            assert (again.status, again.headers["etag"], again.body) == (304, tag, b""), path
            assert again.headers["x-content-type-options"] == "nosniff"
        assert served.get(path, **{"If-None-Match": '"other"'}).body == first.body
    for path in ("/api/trials", "/api/protocols/nobody", "/parts/data"):
        answer = served.get(path, **{"If-None-Match": "*"})
        assert answer.status != 304 and "etag" not in answer.headers, path


def test_a_token_is_asked_for(tmp_path: Path) -> None:
    server = Served(tmp_path / "runs", "--token")
    try:
        assert len(server.token) > 30
        for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {server.token}"}):
            for path in ("/api", "/api/openapi.json", "/api/trials"):
                answer = server.ask("GET", path, headers=given)
                assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
                assert answer.problems[0]["kind"] == "wrong-token"
                assert server.token not in answer.body.decode()
        assert server.ask("GET", "/api/trials", headers={"Authorization": f"Bearer {server.token}"}).status == 200
        # A stranger learns no more than that a token is missing.
        assert server.ask("POST", "/api/trials", {"protocol": "dn61"}).status == 401
    finally:
        assert server.stop()[0] == 0


def test_who_is_addressed() -> None:
    assert is_loopback("127.0.0.1") and is_loopback("::1") and is_loopback("localhost") and is_loopback("127.8.0.1")
    assert not is_loopback("0.0.0.0") and not is_loopback("example.org")
    assert [host_name(text) for text in ("a:80", "a", "[::1]:80", "::1")] == ["a", "a", "::1", "::1"]
    outside = Access("0.0.0.0", "a token of some length")
    # An address in numbers cannot be the name of a stranger.
    assert outside.addressed("192.0.2.7") and not outside.addressed("evil.example")
    assert not Access("127.0.0.1").addressed("192.0.2.7")
    assert outside.admitted("Bearer a token of some length") and not outside.admitted("a token of some length")
    assert page_address(outside, 80) == "http://127.0.0.1:80/#token=a token of some length"


def test_a_token_of_ones_own_must_be_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from betapod.server.serving import serve_explorer

    monkeypatch.setenv("BETAPOD_TOKEN", "short")
    with pytest.raises(ConfigError) as caught:
        serve_explorer(tmp_path / "runs")
    assert caught.value.kinds == ("bad-token",)
    assert "short" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with listening_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "betapod", "serve", "--runs", str(tmp_path / "runs"), "--port", str(port)]
        done = subprocess.run([*command, "--no-browser"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"port {port} at 127.0.0.1 cannot be used" in done.stderr and "--port" in done.stderr
    assert not (tmp_path / "runs").exists()
    with pytest.raises(ConfigError) as caught:
        listening_socket("no such host.", 0)
    assert caught.value.kinds == ("bad-host",)


def test_two_servers_do_not_share_a_folder(served: Served, tmp_path: Path) -> None:
    from betapod.server.trial_runs import TrialRuns

    first = TrialRuns(tmp_path / "runs")
    with pytest.raises(ConfigError) as caught:
        TrialRuns(tmp_path / "runs")
    assert caught.value.kinds == ("folder-in-use",)
    first.close()
    TrialRuns(tmp_path / "runs").close()
