"""Limits and environments of decoded records."""

import json

import msgspec

from logstream.model import Decoded, Reject
from logstream.receive.storable import Preparation
from tests.unit.receive.test_redaction import a_record


def test_a_record_with_too_many_attributes_is_rejected_by_its_place_in_the_request() -> None:
    many = json.dumps({"deep": [{f"key {number}": 1 for number in range(12)}]}).encode()
    long_value = json.dumps({"text": '"a":' * 100}).encode()
    decoded = Decoded(
        [a_record("0"), a_record("2", many), a_record("3", long_value)],
        [Reject(1, "was bad before")],
        origins=[{"body": "0"}, {"body": "2"}, {"body": "3"}],
    )
    prepared = Preparation(10).apply(decoded, None)
    assert [record.body for record in prepared.records] == ["0", "3"]
    assert prepared.origins == [{"body": "0"}, {"body": "3"}]
    assert [reject.index for reject in prepared.rejects] == [1, 2]
    assert "13 attributes; the limit is 10" in prepared.rejects[1].error


def test_records_of_the_keys_environment_are_not_touched() -> None:
    decoded = Decoded([a_record(), a_record()])
    assert Preparation(10).apply(decoded, None) is decoded
    assert Preparation(10).apply(decoded, "prod") is decoded


def test_a_record_of_another_environment_is_moved_and_its_word_kept() -> None:
    elsewhere = msgspec.structs.replace(a_record(), environment="staging")
    decoded = Decoded([elsewhere, a_record()])
    moved, untouched = Preparation(10).apply(decoded, "prod").records
    assert (moved.environment, moved.attributes) == ("prod", b'{"environment":"staging"}')
    assert untouched is decoded.records[1]
