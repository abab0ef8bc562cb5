"""The control API, the same against ours and against Shopify's: paths, statuses, bodies, and what the calls do."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from divergences import expected
from through import PATIENCE_S, Through, ask, connect, eventually, free_port, guarded, read, read_all, silent

from harness.toxiproxy import Toxiproxy

UP = "127.0.0.1:9"


@pytest.fixture
def api(either: Toxiproxy) -> Iterator[Any]:
    """Raw requests; all proxies are deleted afterwards."""

    def call(method: str, path: str, body: Any = None, **rest: Any) -> Any:
        return ask(either.url, method, path, body, **rest)

    call.url = either.url  # type: ignore[attr-defined]
    call.real = either.kind == "installed"  # type: ignore[attr-defined]
    call.started_by_us = either.pid is not None  # type: ignore[attr-defined]
    yield call
    for name in call("GET", "/proxies").json():
        call("DELETE", f"/proxies/{name}")


def accepts(listen: str) -> bool:
    host, _, port = listen.rpartition(":")
    try:
        connect((host.strip("[]"), int(port))).close()
    except ConnectionRefusedError:
        return False
    return True


def error(response: Any) -> tuple[int, str]:
    body = response.json()
    assert list(body)[:2] == ["error", "status"]
    assert body["status"] == response.status_code
    return response.status_code, body["error"]


# -- shapes


def test_a_proxy_and_a_toxic_have_their_keys_in_order(api: Any) -> None:
    made = api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "localhost:0"})
    assert made.status_code == 201
    assert made.headers["Content-Type"] == "application/json"
    assert list(made.json()) == ["name", "listen", "upstream", "enabled", "Logger", "toxics"]
    port = made.json()["listen"].rpartition(":")[2]
    assert made.text == (
        f'{{"name":"a","listen":"127.0.0.1:{port}","upstream":"{UP}","enabled":true,"Logger":{{}},"toxics":[]}}'
    )
    toxic = api(
        "POST", "/proxies/a/toxics", {"type": "latency", "attributes": {"latency": 5}, "toxicity": 0.3333333333}
    )
    assert toxic.status_code == 200
    assert toxic.text == (
        '{"attributes":{"latency":5,"jitter":0},"name":"latency_downstream","type":"latency",'
        '"stream":"downstream","toxicity":0.33333334}'
    )


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("noop", []),
        ("latency", ["latency", "jitter"]),
        ("bandwidth", ["rate"]),
        ("slow_close", ["delay"]),
        ("timeout", ["timeout"]),
        ("reset_peer", ["timeout"]),
        ("slicer", ["average_size", "size_variation", "delay"]),
        ("limit_data", ["bytes"]),
    ],
)
def test_every_toxic_has_its_attributes_in_order_and_reads_back(api: Any, kind: str, names: list[str]) -> None:
    api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    values = {name: 9 - n for n, name in enumerate(names)}
    made = api("POST", "/proxies/a/toxics", {"type": kind, "stream": "UPSTREAM", "attributes": values}).json()
    assert list(made["attributes"].items()) == list(values.items())
    assert (made["name"], made["stream"], made["toxicity"]) == (f"{kind}_UPSTREAM", "UPSTREAM", 1)
    assert api("GET", f"/proxies/a/toxics/{kind}_UPSTREAM").json() == made
    assert api("GET", "/proxies/a/toxics").json() == [made]
    assert api("GET", "/proxies/a").json()["toxics"] == [made]


def test_the_version_is_told_with_its_space_and_newline(api: Any) -> None:
    response = api("GET", "/version")
    assert response.headers["Content-Type"] == "application/json;charset=utf-8"
    assert response.text == f'{{"version": "{response.json()["version"]}"}}\n'
    assert len(response.headers["X-Toxiproxy-Request-Id"]) == 20


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/", 404, "404 page not found\n"),
        ("GET", "/proxies/", 404, "404 page not found\n"),
        ("GET", "/metrics", 404, "404 page not found\n"),
        ("GET", "/proxies/a%2Fb", 404, "404 page not found\n"),
        ("PUT", "/proxies", 405, ""),
        ("HEAD", "/version", 405, ""),
        ("OPTIONS", "/proxies", 405, ""),
        ("GET", "/reset", 405, ""),
        ("GET", "/populate", 405, ""),
    ],
)
def test_unknown_paths_and_methods(api: Any, method: str, path: str, status: int, body: str) -> None:
    response = api(method, path)
    if path == "/metrics" and response.ok and not api.started_by_us:
        pytest.skip("whoever started it asked for the metrics")
    assert (response.status_code, response.text) == (status, body)
    assert "X-Toxiproxy-Request-Id" not in response.headers
    assert "Allow" not in response.headers


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("//proxies", "/proxies"),
        ("/proxies/./a", "/proxies/a"),
        ("/proxies//toxics", "/proxies/toxics"),
        ("/proxies/a/../../version?x=%20y", "/version?x=%20y"),
        ("/proxies/a//", "/proxies/a/"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_that_is_not_clean_is_sent_to_the_clean_one(api: Any, method: str, path: str, clean: str) -> None:
    connection = http.client.HTTPConnection(api.url.removeprefix("http://"), timeout=PATIENCE_S)
    connection.request(method, path)  # as it is: other clients clean it themselves
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Location"), answer.read()) == (301, clean, b"")
    connection.close()


def test_browsers_are_refused_where_a_route_matches(api: Any) -> None:
    browser = {"User-Agent": "Mozilla/5.0 (X11)"}
    refused = api("GET", "/proxies", headers=browser)
    assert (refused.status_code, refused.text) == (403, "User agent not allowed\n")
    assert refused.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert api("GET", "/nothing", headers=browser).status_code == 404
    assert api("PUT", "/proxies", headers=browser).status_code == 405
    assert api("GET", "/proxies", headers={"User-Agent": "Wget/1 Mozilla/5"}).status_code == 200


def test_a_page_of_another_host_is_refused(api: Any) -> None:
    status = api("GET", "/proxies", headers={"Host": "evil.example:8474"}).status_code
    assert status == (expected("a foreign Host header", api.real) if guarded(api.url) else 200)
    assert api("GET", "/proxies", headers={"Host": "localhost:8474"}).status_code == 200


# -- errors


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "bad request body: EOF"),
        (b'{"name":', "bad request body: unexpected EOF"),
        (b'{"name": "a', "bad request body: unexpected EOF"),
        (b"{}", "missing required field: name"),
        (b"null", "missing required field: name"),
        (b'{"name": ""}', "missing required field: name"),
        (b'{"NAME": "a"} trailing', "missing required field: upstream"),
        (b'{"name": "a", "upstream": null}', "missing required field: upstream"),
        (
            b'{"name": 5}',
            "bad request body: json: cannot unmarshal number into Go struct field Proxy.name of type string",
        ),
    ],
)
def test_a_body_that_makes_no_proxy(api: Any, body: bytes, text: str) -> None:
    response = api("POST", "/proxies", body)
    assert error(response) == (400, text)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.text.endswith("\n")
    assert api("GET", "/proxies").text == "{}"


@pytest.mark.parametrize("body", [b"[1]", b"nonsense", b'"text"', b'{"enabled": "yes", "name": "a", "upstream": "b"}'])
def test_a_body_of_another_kind_is_a_bad_one(api: Any, body: bytes) -> None:
    status, text = error(api("POST", "/proxies", body))
    assert status == 400
    assert text.startswith("bad request body: ")


@pytest.mark.parametrize(
    ("listen", "text"),
    [
        ("nonsense", "listen tcp: address nonsense: missing port in address"),
        ("127.0.0.1:99999", "listen tcp: address 99999: invalid port"),
        ("::1:5", "listen tcp: address ::1:5: too many colons in address"),
        ("127.0.0.1:bogus", "listen tcp: lookup tcp/bogus: unknown port"),
        ("203.0.113.9:4000", "listen tcp 203.0.113.9:4000: bind: cannot assign requested address"),
    ],
)
def test_a_listen_address_that_cannot_be(api: Any, listen: str, text: str) -> None:
    assert error(api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": listen})) == (500, text)
    assert api("GET", "/proxies").text == "{}"
    assert api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": listen, "enabled": False}).status_code == 201


def test_a_port_that_is_taken(api: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        made = api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": listen})
        assert error(made) == (500, f"listen tcp {listen}: bind: address already in use")
    assert api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": listen}).status_code == 201


def test_names_are_taken_once(api: Any) -> None:
    proxy = {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"}
    api("POST", "/proxies", proxy)
    assert error(api("POST", "/proxies", proxy)) == (409, "proxy already exists")
    assert api("DELETE", "/proxies/a").status_code == 204
    assert error(api("DELETE", "/proxies/a")) == (404, "proxy not found")
    assert error(api("POST", "/proxies/a", b"")) == (404, "proxy not found")
    assert api("POST", "/proxies", proxy).status_code == 201


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 400, "bad request body: EOF"),
        ({}, 400, "invalid toxic type"),
        ({"type": "Latency"}, 400, "invalid toxic type"),
        ({"type": "latency", "stream": ""}, 400, "stream was invalid, can be either upstream or downstream"),
        ({"type": "x", "stream": "walrus"}, 400, "stream was invalid, can be either upstream or downstream"),
        ({"type": "noop", "name": "there"}, 409, "toxic already exists"),
        ({"type": "latency", "name": "there", "attributes": {"latency": "x"}}, 409, "toxic already exists"),
    ],
)
def test_toxics_that_are_refused(api: Any, body: Any, status: int, text: str) -> None:
    api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    api("POST", "/proxies/a/toxics", {"type": "noop", "name": "there", "stream": "upstream"})
    assert error(api("POST", "/proxies/a/toxics", body)) == (status, text)
    assert [toxic["name"] for toxic in api("GET", "/proxies/a/toxics").json()] == ["there"]
    assert error(api("GET", "/proxies/a/toxics/none")) == (404, "toxic not found")
    assert error(api("DELETE", "/proxies/b/toxics/none")) == (404, "proxy not found")


@pytest.mark.parametrize("attributes", [{"latency": 1.5}, {"latency": "10"}, {"latency": 1e20}, [], {"jitter": True}])
def test_attributes_of_a_wrong_type(api: Any, attributes: Any) -> None:
    api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    status, text = error(api("POST", "/proxies/a/toxics", {"type": "latency", "attributes": attributes}))
    assert status == 400
    assert text.startswith("bad request body: ")


def test_a_float_without_a_fraction_is_a_whole_number(api: Any) -> None:
    api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    made = api("POST", "/proxies/a/toxics", {"type": "latency", "attributes": {"latency": 100.0}})
    assert made.status_code == expected("a float without a fraction", api.real)


def test_a_refused_change_changes_nothing(api: Any) -> None:
    api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    api("POST", "/proxies/a/toxics", {"type": "latency"})
    body = b'{"attributes":{"latency":"x","jitter":99}}'
    assert api("PATCH", "/proxies/a/toxics/latency_downstream", body).status_code == 400
    kept = api("GET", "/proxies/a/toxics/latency_downstream").json()["attributes"]["jitter"]
    assert kept == expected("a refused change of a toxic", api.real)


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("slicer", {}),
        ("slicer", {"average_size": -1}),
        ("slicer", {"average_size": 5, "size_variation": 6}),
        ("bandwidth", {"rate": -1}),
    ],
)
def test_what_ends_the_real_server_is_refused_clearly(ours: Toxiproxy, kind: str, attributes: dict[str, int]) -> None:
    ask(ours.url, "POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    try:
        body = {"type": kind, "attributes": attributes}
        status, text = error(ask(ours.url, "POST", "/proxies/a/toxics", body))
        assert status == 400
        assert text.startswith(f"invalid toxic attributes: {kind} ")
    finally:
        ask(ours.url, "DELETE", "/proxies/a")


@pytest.mark.parametrize(
    ("divergence", "body"),
    [
        ("slicer without attributes", {"type": "slicer"}),
        ("bandwidth below zero", {"type": "bandwidth", "attributes": {"rate": -1}}),
    ],
)
def test_what_ends_the_real_server(expendable: Through, divergence: str, body: dict[str, Any]) -> None:
    wanted = expected(divergence, expendable.real)
    status = expendable.api("POST", "/proxies/line/toxics", body).status_code
    assert status == (200 if wanted == "crash" else wanted)
    client, server = expendable.pair()
    server.sendall(b"x" * 100)
    if wanted != "crash":
        assert read(client, 100) == b"x" * 100
        return

    def dead() -> bool:
        try:
            return not expendable.api("GET", "/version").ok
        except requests.ConnectionError:
            return True

    eventually(dead)


@pytest.mark.parametrize(
    ("divergence", "body"),
    [
        ("a toxic for both streams", {"type": "latency", "stream": "both"}),
        ("a toxic of our own", {"type": "full_close"}),
    ],
)
def test_what_is_ours_alone(api: Any, divergence: str, body: dict[str, Any]) -> None:
    api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    assert api("POST", "/proxies/a/toxics", body).status_code == expected(divergence, api.real)


# -- what the calls do


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_change_of_a_toxic_keeps_what_it_does_not_name(api: Any, method: str) -> None:
    api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    first = {"type": "latency", "toxicity": 0.2, "attributes": {"latency": 7, "jitter": 3}}
    api("POST", "/proxies/a/toxics", first)
    path = "/proxies/a/toxics/latency_downstream"
    changed = api(method, path, {"attributes": {"jitter": 5, "unknown": 1}, "name": "b", "stream": "upstream"})
    assert changed.status_code == 200
    assert changed.json() == api("GET", path).json()
    assert changed.json()["attributes"] == {"latency": 7, "jitter": 5}
    assert (changed.json()["toxicity"], changed.json()["name"]) == (0.2, "latency_downstream")
    assert api("DELETE", path).status_code == 204
    assert api("GET", "/proxies/a/toxics").text == "[]"


def test_toxics_are_listed_upstream_first_and_may_share_a_type(api: Any) -> None:
    api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    for name, stream in (("one", "downstream"), ("two", "upstream"), ("three", "downstream"), ("four", "upstream")):
        assert api("POST", "/proxies/a/toxics", {"type": "noop", "name": name, "stream": stream}).status_code == 200
    names = [toxic["name"] for toxic in api("GET", "/proxies/a/toxics").json()]
    assert names == ["two", "four", "one", "three"]


def test_disabled_and_enabled_again_it_keeps_its_port_and_its_toxics(api: Any) -> None:
    made = api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"}).json()
    api("POST", "/proxies/a/toxics", {"type": "noop"})
    assert accepts(made["listen"])
    off = api("POST", "/proxies/a", {"enabled": False}).json()
    assert (off["enabled"], off["listen"]) == (False, made["listen"])
    assert not accepts(made["listen"])
    on = api("PATCH", "/proxies/a", {"enabled": True}).json()
    assert (on["enabled"], on["listen"], len(on["toxics"])) == (True, made["listen"], 1)
    assert accepts(made["listen"])


def test_made_disabled_it_tells_the_address_as_given(api: Any) -> None:
    listen = f"localhost:{free_port()}"
    made = api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": listen, "enabled": False}).json()
    assert (made["enabled"], made["listen"]) == (False, listen)
    on = api("POST", "/proxies/a", {"enabled": True}).json()
    assert on["listen"] == listen.replace("localhost", "127.0.0.1")


def test_an_address_for_all_is_told_as_both_families(api: Any) -> None:
    for name, listen in (("a", ""), ("b", ":0"), ("c", "0.0.0.0:0")):
        made = api("POST", "/proxies", {"name": name, "upstream": UP, "listen": listen}).json()
        assert made["listen"].startswith("[::]:")
        assert accepts("127.0.0.1:" + made["listen"].rpartition(":")[2])


def test_a_failed_restart_leaves_it_disabled_with_the_new_fields(api: Any) -> None:
    api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"})
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        assert api("POST", "/proxies/a", {"listen": listen}).status_code == 500
    now = api("GET", "/proxies/a").json()
    assert (now["enabled"], now["listen"]) == (False, listen)
    assert error(api("POST", "/proxies/a", {"listen": "zzz"})) == (500, "address zzz: missing port in address")


def test_an_update_that_changes_nothing_leaves_connections_alone(through: Through) -> None:
    client, server = through.pair()
    port = through.line.address[1]
    for body in ({}, None, {"listen": f"localhost:{port}"}, {"enabled": True, "name": "other"}):
        data = b"null" if body is None else body
        assert through.api("POST", "/proxies/line", data).json()["name"] == "line"
        client.sendall(b"x")
        assert server.recv(1) == b"x"


def test_populate_creates_keeps_and_replaces(api: Any) -> None:
    one, two = free_port(), free_port()
    first = [
        {"name": "one", "listen": f"localhost:{one}", "upstream": UP},
        {"name": "two", "listen": f"127.0.0.1:{two}", "upstream": UP, "enabled": False},
    ]
    made = api("POST", "/populate", first)
    assert made.status_code == 201
    assert [proxy["name"] for proxy in made.json()["proxies"]] == ["one", "two"]
    assert accepts(f"127.0.0.1:{one}")
    assert not accepts(f"127.0.0.1:{two}")
    for name in ("one", "two"):
        api("POST", f"/proxies/{name}/toxics", {"type": "noop"})
    again = [first[0], {"name": "two", "listen": f"127.0.0.1:{two}", "upstream": "127.0.0.1:10"}]
    told = api("POST", "/populate", again).json()["proxies"]
    assert [(proxy["enabled"], len(proxy["toxics"])) for proxy in told] == [(True, 1), (True, 0)]


@pytest.mark.parametrize("body", [b"[]", b"null"])
def test_populate_with_nothing(api: Any, body: bytes) -> None:
    response = api("POST", "/populate", body)
    assert (response.status_code, response.text) == (201, '{"proxies":null}')


def test_populate_checks_all_before_it_creates_any(api: Any) -> None:
    proxies = [{"name": "a", "upstream": UP, "listen": "127.0.0.1:0"}, {"upstream": UP}]
    response = api("POST", "/populate", proxies)
    assert error(response) == (400, "missing required field: name at proxy 2")
    assert response.json()["proxies"] is None
    assert response.headers["Content-Type"] == "application/json"
    assert not response.text.endswith("\n")
    assert api("GET", "/proxies").text == "{}"


def test_populate_stops_at_the_first_failure_and_tells_what_it_did(api: Any) -> None:
    proxies = [{"name": name, "upstream": UP, "listen": listen} for name, listen in (("a", "127.0.0.1:0"), ("b", "x"))]
    response = api("POST", "/populate", proxies)
    assert response.status_code == 500
    assert [proxy["name"] for proxy in response.json()["proxies"]] == ["a"]
    assert list(api("GET", "/proxies").json()) == ["a"]


@pytest.mark.parametrize(("path", "divergence"), [("/populate", "a populate"), ("/proxies", "a create")])
def test_toxics_in_a_body(api: Any, path: str, divergence: str) -> None:
    proxy = {"name": "a", "upstream": UP, "listen": "127.0.0.1:0", "toxics": [{"type": "latency"}]}
    assert api("POST", path, [proxy] if path == "/populate" else proxy).status_code == 201
    count = len(api("GET", "/proxies/a/toxics").json())
    assert count == expected(f"toxics in {divergence} body", api.real)


def test_reset_enables_everything_and_removes_all_toxics(api: Any) -> None:
    made = api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"}).json()
    api("POST", "/proxies/a/toxics", {"type": "latency"})
    api("POST", "/proxies/a", {"enabled": False})
    response = api("POST", "/reset", b"whatever")
    assert (response.status_code, response.text) == (204, "")
    now = api("GET", "/proxies/a").json()
    assert (now["enabled"], now["toxics"], now["listen"]) == (True, [], made["listen"])


def test_a_reset_that_cannot_start_a_proxy_fails(api: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": listen, "enabled": False})
        api("POST", "/proxies/a/toxics", {"type": "noop"})
        assert error(api("POST", "/reset")) == (500, f"listen tcp {listen}: bind: address already in use")
        now = api("GET", "/proxies/a").json()
        assert (now["enabled"], len(now["toxics"])) == (False, 1)
    assert api("POST", "/reset").status_code == 204


def test_a_replacement_that_cannot_listen_leaves_the_old_one_disabled(api: Any) -> None:
    old = api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"}).json()
    api("POST", "/proxies/a/toxics", {"type": "noop"})
    with socket.create_server(("127.0.0.1", 0)) as other:
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        answer = api("POST", "/populate", [{"name": n, "upstream": UP, "listen": listen} for n in ("a", "b")])
        assert error(answer) == (500, f"listen tcp {listen}: bind: address already in use")
        assert answer.json()["proxies"] is None
    assert list(api("GET", "/proxies").json()) == ["a"]
    now = api("GET", "/proxies/a").json()
    assert (now["enabled"], now["listen"], len(now["toxics"])) == (False, old["listen"], 1)


def test_port_zero_sent_again_is_another_port(api: Any) -> None:
    made = api("POST", "/proxies", {"name": "a", "upstream": UP, "listen": "127.0.0.1:0"}).json()
    moved = api("POST", "/proxies/a", {"listen": "127.0.0.1:0"}).json()
    assert moved["enabled"]
    assert moved["listen"] != made["listen"]
    assert accepts(moved["listen"])
    assert not accepts(made["listen"])


def test_an_address_for_all_always_differs(through: Through) -> None:
    port = free_port()
    body = {"listen": f"0.0.0.0:{port}", "upstream": f"127.0.0.1:{through.listener.getsockname()[1]}"}
    assert through.api("POST", "/proxies/line", body).json()["listen"] == f"[::]:{port}"
    through.api("POST", "/proxies/line/toxics", {"type": "noop"})
    client = connect(("127.0.0.1", port))
    server, _ = through.listener.accept()
    through.opened += [client, server]
    updated = through.api("POST", "/proxies/line", body).json()
    assert (updated["listen"], len(updated["toxics"])) == (f"[::]:{port}", 1)
    assert read_all(client)[0] == b""
    populated = through.api("POST", "/populate", [{"name": "line", **body}]).json()["proxies"]
    assert populated[0]["toxics"] == []


def test_an_address_of_the_other_family(through: Through) -> None:
    upstream = f"127.0.0.1:{through.listener.getsockname()[1]}"
    answer = through.api("POST", "/proxies", {"name": "six", "upstream": upstream, "listen": "[::1]:0"})
    if "cannot assign" in answer.text or "not supported" in answer.text:
        pytest.skip("this machine has no IPv6")
    host, _, port = answer.json()["listen"].rpartition(":")
    assert host == "[::1]"
    with socket.create_connection(("::1", int(port)), PATIENCE_S) as client:
        server, _ = through.listener.accept()
        with server:
            client.sendall(b"x")
            assert server.recv(1) == b"x"


def test_another_upstream_drops_the_connections_and_keeps_the_port(through: Through) -> None:
    client, server = through.pair()
    with socket.create_server(("127.0.0.1", 0)) as other:
        upstream = f"127.0.0.1:{other.getsockname()[1]}"
        changed = through.api("POST", "/proxies/line", {"upstream": upstream}).json()
        assert changed["listen"] == "{}:{}".format(*through.line.address)
        assert read_all(client)[0] == read_all(server)[0] == b""
        with connect(through.line.address) as again:
            other.settimeout(PATIENCE_S)
            newer, _ = other.accept()
            with newer:
                again.sendall(b"x")
                assert newer.recv(1) == b"x"


def test_a_limit_that_sinks_below_the_count_cuts_at_the_next_data(through: Through) -> None:
    through.api("POST", "/proxies/line/toxics", {"type": "limit_data", "attributes": {"bytes": 100}})
    client, server = through.pair()
    server.sendall(b"x" * 50)
    assert read(client, 50) == b"x" * 50
    through.api("PATCH", "/proxies/line/toxics/limit_data_downstream", {"attributes": {"bytes": 10}})
    assert silent(client, 0.1)
    server.sendall(b"y")
    assert read_all(client) == (b"", "end")


def test_errors_have_a_request_id_each(api: Any) -> None:
    answers = [
        api("GET", "/proxies/none"), api("POST", "/proxies", b""), api("POST", "/populate", b""),
        api("GET", "/version", headers={"User-Agent": "Mozilla/5.0"}),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [404, 400, 400, 403]
    ids = {answer.headers["X-Toxiproxy-Request-Id"] for answer in answers}
    assert {len(one) for one in ids} == {20}
    assert len(ids) == 4


def test_names_of_any_kind_are_told_and_found(api: Any) -> None:
    for name in ("a b", "ção", "<&>", "%41"):
        assert api("POST", "/proxies", {"name": name, "upstream": UP, "listen": "127.0.0.1:0"}).status_code == 201
    assert '"\\u003c\\u0026\\u003e":{' in api("GET", "/proxies").text
    assert api("GET", "/proxies/a%20b").json()["name"] == "a b"
    assert api("GET", "/proxies/%C3%A7%C3%A3o").json()["name"] == "ção"
    assert api("DELETE", "/proxies/%2541").status_code == 204
    assert api("DELETE", "/proxies/%3C%26%3E").status_code == 204


def test_a_hundred_clients_at_once(api: Any) -> None:
    def life(number: int) -> list[int]:
        name = f"p{number}"
        return [
            api("POST", "/proxies", {"name": name, "upstream": UP, "listen": "127.0.0.1:0"}).status_code,
            api("POST", f"/proxies/{name}/toxics", {"type": "latency"}).status_code,
            api("GET", "/proxies").status_code,
            api("DELETE", f"/proxies/{name}").status_code,
        ]

    with ThreadPoolExecutor(100) as pool:
        assert list(pool.map(life, range(100))) == [[201, 200, 200, 204]] * 100
    assert api("GET", "/proxies").text == "{}"
