"""The chat model over the real SDK and a real socket, with everything a server may do."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from logstream.errors import ModelUnavailable
from logstream.explain import chat_model
from logstream.explain.chat_model import OpenAIChat
from logstream.ports import ChatAnswer, ChatMessage
from tests.hub_server import free_port
from tests.peers.openai import KEY, MODEL, OpenAIPeer, Turn, openai_peer

SCHEMA = {
    "type": "object",
    "properties": {"q": {"type": "string"}},
    "required": ["q"],
    "additionalProperties": False,
}
QUESTION = (ChatMessage("system", "Answer in JSON."), ChatMessage("user", "slow checkouts"))


@pytest.fixture(scope="module")
def shared_peer() -> Iterator[OpenAIPeer]:
    with openai_peer() as peer:
        yield peer


@pytest.fixture
def peer(shared_peer: OpenAIPeer) -> OpenAIPeer:
    shared_peer.start_over()
    return shared_peer


def ask(model: OpenAIChat, *, seconds: float = 5.0, times: int = 1) -> ChatAnswer:
    async def run() -> ChatAnswer:
        try:
            for _ in range(times):
                answer = await model.complete(QUESTION, SCHEMA, seconds=seconds)
            return answer
        finally:
            await model.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("how", "path", "query"),
    [
        ({"base": "/v1"}, "/v1/chat/completions", ""),
        ({"base": "", "is_azure": True}, "/openai/v1/chat/completions", ""),
        ({"base": "/openai/v1", "is_azure": True}, "/openai/v1/chat/completions", ""),
        (
            {"base": "", "is_azure": True, "api_version": "2024-10-21"},
            f"/openai/deployments/{MODEL}/chat/completions",
            "api-version=2024-10-21",
        ),
    ],
)
def test_openai_and_both_ways_of_azure_are_spoken(
    peer: OpenAIPeer, how: dict[str, Any], path: str, query: str
) -> None:
    base = peer.endpoint + how.pop("base")
    peer.says('{"q": "slow"}')
    answer = ask(OpenAIChat(MODEL, key=KEY, base_url=base, **how))
    # The peer counts 812 tokens of every question and 41 of every answer.
    assert answer == ChatAnswer('{"q": "slow"}', MODEL, 812, 41)
    (asked,) = peer.asked
    assert (asked.path, asked.query, asked.form) == (path, query, "json_schema")
    assert asked.body["response_format"]["json_schema"]["strict"] is True


def test_a_server_without_schemas_is_asked_more_simply_and_remembered(peer: OpenAIPeer) -> None:
    peer.forms = ("",)
    ask(OpenAIChat(MODEL, key=KEY, base_url=peer.base_url), times=2)
    assert [asked.form for asked in peer.asked] == ["json_schema", "json_object", "", ""]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_passes_is_tried_once_more(peer: OpenAIPeer, status: int) -> None:
    peer.says(Turn(status=status, headers={"retry-after": "0.1"}), '{"q": "x"}')
    assert ask(OpenAIChat(MODEL, key=KEY, base_url=peer.base_url)).text == '{"q": "x"}'
    assert len(peer.asked) == 2


@pytest.mark.parametrize(
    ("turns", "said", "tries"),
    [
        ([Turn(status=500), Turn(status=500)], "answered 500", 2),
        ([Turn(status=429, headers={"retry-after": "30"})], "more often than it may", 1),
        ([Turn(body=b"<html>hello</html>")], "is no chat model", 1),
        ([Turn(body=b'{"choices": []}')], "is no chat model", 1),
        ([Turn(megabytes=40)], "more than 256 KiB", 1),
    ],
)
def test_every_failure_is_told_at_once_and_in_one_way(
    peer: OpenAIPeer, turns: list[Turn], said: str, tries: int
) -> None:
    peer.says(*turns)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable, match=said) as caught:
        ask(OpenAIChat(MODEL, key=KEY, base_url=peer.base_url))
    assert caught.value.hint and caught.value.retry_after_seconds > 0
    assert len(peer.asked) == tries
    assert time.monotonic() - started < 4


def test_a_wrong_key_and_an_unknown_model_name_the_setting_and_no_secret(peer: OpenAIPeer) -> None:
    with pytest.raises(ModelUnavailable, match="refuses the key") as caught:
        ask(OpenAIChat(MODEL, key="sk-wrong-0123456789", base_url=peer.base_url))
    assert "OPENAI_API_KEY" in caught.value.hint
    assert "sk-wrong" not in caught.value.one_line()
    with pytest.raises(ModelUnavailable, match="knows no model other") as caught:
        ask(OpenAIChat("other", key=KEY, base_url=peer.base_url))
    assert "OPENAI_MODEL" in caught.value.hint


def test_time_is_up_however_the_server_spends_it(peer: OpenAIPeer) -> None:
    peer.says(Turn(seconds=3))
    model = OpenAIChat(MODEL, key=KEY, base_url=peer.base_url)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable, match=r"did not answer within 0\.4 s"):
        ask(model, seconds=0.4)
    assert time.monotonic() - started < 2.5
    assert 0 < model.rest_seconds <= chat_model.REST_SECONDS


def test_nobody_listening_is_said_with_the_address() -> None:
    address = f"http://127.0.0.1:{free_port()}/v1"
    with pytest.raises(ModelUnavailable, match="cannot be reached") as caught:
        ask(OpenAIChat(MODEL, key=KEY, base_url=address))
    assert address in caught.value.message


def test_the_sdks_own_variables_are_not_read(
    peer: OpenAIPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    assert OpenAIChat(MODEL).address == "https://api.openai.com/v1"
    for version in (None, "2024-10-21"):
        model = OpenAIChat(
            MODEL, key=KEY, base_url=peer.endpoint, is_azure=True, api_version=version
        )
        assert ask(model).prompt_tokens == 812
