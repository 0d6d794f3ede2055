import gzip
import json

import cramjam
import httpx

SENT = "1767225600250123456"


def lines(service: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = httpx.get(
        f"{service}/logs/recent", params={"from": "2026-01-01T00:00:00Z", "limit": 100}
    ).json()
    return found


def test_pushes_land_and_are_answered_as_loki_answers(service: str) -> None:
    url = f"{service}/loki/api/v1/push"
    stream = {"stream": {"app": "pay", "level": "error"}, "values": [[SENT, "card declined"]]}
    body = json.dumps({"streams": [stream]}).encode()
    json_type = {"Content-Type": "application/json"}

    landed = httpx.post(url, content=body, headers=json_type)
    assert (landed.status_code, landed.content) == (204, b"")
    packed = {**json_type, "Content-Encoding": "gzip"}
    assert httpx.post(url, content=gzip.compress(body), headers=packed).status_code == 204

    # {app="cart"} "paid" at 2026-01-01T00:00:00Z, as a PushRequest.
    push = b'\n\x1f\n\x0c{app="cart"}\x12\x0f\n\x06\x08\x80\xf2\xd6\xca\x06\x12\x05paid!'
    block = bytes(cramjam.snappy.compress_raw(push))
    for content, headers in (
        (block, {}),
        (push, {}),
        (block, {"Content-Encoding": "snappy"}),
        (bytes(cramjam.snappy.compress(push)), {"Content-Encoding": "snappy"}),
        (gzip.compress(push), {"Content-Encoding": "gzip"}),
    ):
        answer = httpx.post(
            f"{service}/api/prom/push",
            content=content,
            headers={"Content-Type": "application/x-protobuf", **headers},
        )
        assert answer.status_code == 204, answer.text

    found = lines(service)
    assert [line["message"] for line in found] == ["card declined"] * 2 + ["paid!"] * 5
    assert (found[0]["source"], found[0]["severity"]) == ("pay", "error")
    assert found[0]["createdAt"] == "2026-01-01T00:00:00.250123456Z"

    assert httpx.get(f"{service}/ready").text == "ready\n"


def test_errors_are_lines_of_text_and_a_batch_that_lands_in_part_is_taken(service: str) -> None:
    url = f"{service}/loki/api/v1/push"
    stream = {"stream": {"app": "pay"}, "values": [[SENT, "good"], ["soon", "bad"]]}
    assert httpx.post(url, json={"streams": [stream]}).status_code == 204
    assert [line["message"] for line in lines(service)] == ["good"]

    stream["values"] = [["soon", "bad"]]
    refused = httpx.post(url, json={"streams": [stream]})
    assert refused.status_code == 400
    assert refused.headers["content-type"] == "text/plain; charset=utf-8"
    assert refused.text.startswith("line 0: time 'soon' cannot be read")

    broken = httpx.post(url, content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.text[:30]) == (400, "the body is not a push of Loki")
    bomb = bytes(cramjam.snappy.compress_raw(bytes(64 * 1024 * 1024)))
    too_large = httpx.post(url, content=bomb, headers={"Content-Type": "application/x-protobuf"})
    assert too_large.status_code == 413
    assert httpx.post(url, content=b"x", headers={"Content-Encoding": "br"}).status_code == 415
