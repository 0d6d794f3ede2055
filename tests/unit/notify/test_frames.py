"""Frames: groups, counts, caps, sequence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logstream.model import LogRecord
from logstream.notify.frames import FrameBuilder, environment_of, group_of, light

NOON = 1_767_268_800_000_000_000  # 2026-01-01T12:00:00Z
NOON_MS = 1_767_268_800_000
NOON_S = 1_767_268_800


def record(
    body: str = "payment 4711 accepted",
    *,
    environment: str = "production",
    service: str = "checkout",
    severity_number: int = 9,
    attributes: bytes = b"{}",
    timestamp: int = NOON,
) -> LogRecord:
    return LogRecord(
        timestamp_unix_nano=timestamp,
        observed_unix_nano=NOON + 1_000_000,
        environment=environment,
        service_name=service,
        severity_number=severity_number,
        body=body,
        attributes=attributes,
    )


def test_everybodys_group_is_named_logs_and_means_no_environment() -> None:
    assert group_of(None) == "logs"
    assert environment_of("logs") is None
    assert group_of(None, light=True) == "logs-light"
    assert environment_of("logs-light") is None


@pytest.mark.parametrize(
    ("environment", "group"),
    [
        ("production", "logs.production"),
        ("eu-west_1", "logs.eu-west_1"),
        ("team/a b", "logs.team.2fa.20b"),
        ("v1.2", "logs.v1.2e2"),
        ("größe", "logs.gr.c3.b6.c3.9fe"),
        ("", "logs."),
    ],
)
def test_characters_that_are_unsafe_in_a_path_are_escaped_and_come_back(
    environment: str, group: str
) -> None:
    assert group_of(environment) == group
    assert environment_of(group) == environment


@given(st.text())
def test_every_environment_has_a_path_safe_group_of_its_own(environment: str) -> None:
    group = group_of(environment)
    slow = group_of(environment, light=True)
    assert slow == group.replace("logs.", "logs-light.", 1)
    assert environment_of(slow) == environment
    assert group.isascii() and group.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert environment_of(group) == environment


@pytest.mark.parametrize(
    "group", ["orders", "logs/production", "logs.a.zz", "logs.Ä", "logs.a.2", "logs-heavy.a"]
)
def test_a_group_that_is_not_ours_is_refused(group: str) -> None:
    with pytest.raises(ValueError, match=r"group '"):
        environment_of(group)


def test_a_frame_says_what_landed() -> None:
    builder = FrameBuilder("0badcafe")
    builder.add(
        41,
        [
            record(attributes=b'{"order":{"id":4711}}'),
            record("card refused", severity_number=17),
            record("stock low", service="inventory", severity_number=13),
        ],
    )
    (frame,) = builder.take(NOON_MS, ["production"])
    lines = frame.pop("lines")
    counts = frame.pop("counts")
    assert frame == {
        "type": "frame",
        "environment": "production",
        "publisher": "0badcafe",
        "sequence": 1,
        "firstId": 41,
        "lastId": 43,
        "total": 3,
        "sentUnixMs": NOON_MS,
    }
    assert [line["id"] for line in lines] == [41, 42, 43]
    assert lines[0]["metadata"] == {"order": {"id": 4711}}
    assert lines[0]["createdAt"] == "2026-01-01T12:00:00.000Z"
    assert lines[0]["observedAt"] == "2026-01-01T12:00:00.001Z"
    assert lines[1]["severity"] == "error" and lines[1]["message"] == "card refused"
    assert {"source": "checkout", "severity": "error", "minute": NOON_S, "count": 1} in counts
    assert {"source": "inventory", "severity": "warn", "minute": NOON_S, "count": 1} in counts
    assert len(counts) == 3


def test_severity_numbers_of_one_group_are_counted_together_most_frequent_first() -> None:
    builder = FrameBuilder()
    builder.add(1, [record(severity_number=9)] + [record(severity_number=n) for n in (17, 18, 20)])
    (frame,) = builder.take(NOON_MS, ["production"])
    assert frame["counts"] == [
        {"source": "checkout", "severity": "error", "minute": NOON_S, "count": 3},
        {"source": "checkout", "severity": "info", "minute": NOON_S, "count": 1},
    ]


def test_several_calls_become_one_frame_with_lines_in_id_order() -> None:
    builder = FrameBuilder()
    assert builder.add(2001, [record("second block")]) is True
    assert builder.add(1001, [record("first block"), record("first block too")]) is False
    (frame,) = builder.take(NOON_MS, ["production"])
    assert [line["id"] for line in frame["lines"]] == [1001, 1002, 2001]
    assert (frame["firstId"], frame["lastId"], frame["total"]) == (1001, 2001, 3)


def test_each_environment_has_its_own_frame_with_its_own_ids() -> None:
    builder = FrameBuilder()
    builder.add(10, [record(environment=name) for name in ("staging", "production", "staging")])
    frames = {
        frame["environment"]: frame for frame in builder.take(NOON_MS, ["production", "staging"])
    }
    assert [line["id"] for line in frames["staging"]["lines"]] == [10, 12]
    assert (frames["staging"]["firstId"], frames["staging"]["lastId"]) == (10, 12)
    assert [line["id"] for line in frames["production"]["lines"]] == [11]
    assert frames["production"]["total"] == 1


def test_the_sequence_of_an_environment_has_no_holes_and_is_not_shared() -> None:
    builder = FrameBuilder()
    sequences = []
    for first_id in (1, 2, 3):
        builder.add(first_id, [record()])
        if first_id == 2:
            builder.add(9, [record(environment="staging")])
        sequences += [
            (frame["environment"], frame["sequence"])
            for frame in builder.take(NOON_MS, builder.waiting)
        ]
    assert sequences == [
        ("production", 1),
        ("production", 2),
        ("staging", 1),
        ("production", 3),
    ]


def test_taking_empties_the_builder_and_quiet_environments_give_no_frame() -> None:
    builder = FrameBuilder()
    builder.add(1, [record()])
    assert builder.take(NOON_MS, ["staging"]) == []
    assert len(builder.take(NOON_MS, ["production"])) == 1
    assert builder.take(NOON_MS, ["production"]) == []
    assert builder.waiting == []
    assert builder.add(2, []) is False


def test_counts_are_by_the_minute_of_the_lines_own_timestamps() -> None:
    builder = FrameBuilder()
    late, early = NOON - 1, NOON + 60 * 10**9
    builder.add(1, [record(), record(timestamp=late), record(timestamp=early), record()])
    builder.add(5, [record(timestamp=late - 59 * 10**9)])
    (frame,) = builder.take(NOON_MS, ["production"])
    counts = {entry["minute"]: entry["count"] for entry in frame["counts"]}
    assert counts == {NOON_S: 2, NOON_S - 60: 2, NOON_S + 60: 1}


def sample_of(batches: list[int], **options: int) -> tuple[list[int], dict[str, object]]:
    builder = FrameBuilder(**options)  # type: ignore[arg-type]
    first_id = 1
    for size in batches:
        builder.add(first_id, [record(f"line {first_id + n}") for n in range(size)])
        first_id += size
    (frame,) = builder.take(NOON_MS, ["production"])
    assert frame["total"] == sum(batches)
    assert (frame["firstId"], frame["lastId"]) == (1, sum(batches))
    return [line["id"] for line in frame["lines"]], frame


@pytest.mark.parametrize(
    "batches", [[1200], [400] * 3, [1] * 1200, [7, 1, 500, 92, 600], [199, 1, 1000]]
)
def test_above_the_cap_an_even_sample_is_carried_and_all_are_counted(batches: list[int]) -> None:
    ids, frame = sample_of(batches)
    assert frame["isSample"] is True
    assert len(ids) == 50 and ids == sorted(set(ids))
    # Every sixth of the 1,200 lines has its share.
    for start in range(1, 1200, 200):
        assert 5 <= sum(start <= line_id < start + 200 for line_id in ids) <= 12


def test_up_to_the_cap_every_line_is_carried() -> None:
    ids, frame = sample_of([150, 1, 49])
    assert ids == list(range(1, 201)) and "isSample" not in frame


@pytest.mark.parametrize("period", [2, 3, 4, 8, 16])
def test_a_sample_of_a_stream_with_a_rhythm_does_not_follow_its_rhythm(period: int) -> None:
    ids = [line_id for _ in range(40) for line_id in sample_of([100] * 40)[0]]
    beat = sum(line_id % period == 0 for line_id in ids)
    # Of 2,000 lines in 40 frames, each of which has its own chance; a sample that followed the
    # rhythm would be all beats or none. At a period of 16 one is 125 by 11: this is 4 of those.
    assert 0.6 / period < beat / len(ids) < 1.4 / period


def test_the_cap_holds_for_a_batch_of_mixed_environments() -> None:
    builder = FrameBuilder(max_lines=8)
    builder.add(1, [record(environment="ab"[index % 2]) for index in range(20)])
    frames = builder.take(NOON_MS, ["a", "b"])
    for frame, rest in zip(frames, (1, 0), strict=True):
        ids = [line["id"] for line in frame["lines"]]
        assert 2 <= len(ids) <= 3 and all(line_id % 2 == rest for line_id in ids)
        assert ids[0] <= 8 and ids[-1] >= 9
        assert frame["total"] == 10 and frame["isSample"] is True


def test_a_frame_stays_under_its_size_and_samples_evenly() -> None:
    builder = FrameBuilder(max_frame_bytes=20_000)
    builder.add(1, [record("x" * 3000) for _ in range(50)])
    (frame,) = builder.take(NOON_MS, ["production"])
    assert len(json.dumps(frame)) <= 20_000
    # 3,000 letters and about 300 bytes around them: five fit under 20,000, six cannot
    assert [line["id"] for line in frame["lines"]] == [6, 16, 26, 36, 46]
    assert frame["total"] == 50 and frame["isSample"] is True


def test_what_waits_for_a_frame_is_bounded_however_much_lands() -> None:
    builder = FrameBuilder(max_lines=50)
    for first_id in range(1, 100_000, 1000):
        builder.add(
            first_id,
            [
                record("y" * 100_000, service=f"service-{first_id + n}", timestamp=n * 60 * 10**9)
                for n in range(1000)
            ][:20]
            + [record()] * 980,
        )
        assert len(builder._pending["production"].sample.kept) <= 50
    kept = builder._pending["production"].sample.kept
    assert all(len(kept_record.body) <= 8192 for _, kept_record, _, _ in kept)


def test_more_kinds_of_counts_than_are_kept_are_told_as_uncounted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("logstream.notify.frames.MAX_COUNTS", 10)
    builder = FrameBuilder()
    builder.add(1, [record(service=f"service-{n % 25}") for n in range(100)])
    (frame,) = builder.take(NOON_MS, ["production"])
    assert len(frame["counts"]) == 10 and frame["uncounted"] == 60 and frame["total"] == 100


def test_a_light_frame_tells_the_same_in_a_few_kilobytes() -> None:
    builder = FrameBuilder()
    builder.add(
        1,
        [
            record("€" * 5000, service=f"service-{n % 90}", attributes=b'{"order":{"id":4711}}')
            for n in range(150)
        ],
    )
    (frame,) = builder.take(NOON_MS, ["production"])
    small = light(frame)
    assert len(json.dumps(small, ensure_ascii=False, separators=(",", ":")).encode()) <= 4096
    same = ("environment", "publisher", "sequence", "firstId", "lastId", "total", "sentUnixMs")
    assert {name: small[name] for name in same} == {name: frame[name] for name in same}
    assert small["isLight"] is True and small["isSample"] is True
    assert 1 <= len(small["lines"]) <= 20
    assert sum(entry["count"] for entry in small["counts"]) + small["uncounted"] == 150
    line = small["lines"][0]
    assert line["message"] == "€" * 200 and line["messageBytes"] == 15_000
    assert line["metadata"] == {} and line["metadataBytes"] == 21
    # The full frame is what it was.
    assert "isLight" not in frame and frame["lines"][0]["metadata"] == {"order": {"id": 4711}}


def test_a_light_frame_of_a_few_short_lines_has_them_all() -> None:
    builder = FrameBuilder()
    builder.add(1, [record(), record("two")])
    (frame,) = builder.take(NOON_MS, ["production"])
    small = light(frame)
    assert [line["message"] for line in small["lines"]] == ["payment 4711 accepted", "two"]
    assert "isSample" not in small and "uncounted" not in small
    assert "messageBytes" not in small["lines"][0] and "metadataBytes" not in small["lines"][0]


def test_a_long_message_is_cut_between_characters_and_says_its_full_size() -> None:
    builder = FrameBuilder()
    builder.add(1, [record("a" + "€" * 4000), record("y" * 8192)])
    (frame,) = builder.take(NOON_MS, ["production"])
    cut, whole = frame["lines"]
    # 8,192 bytes hold the letter and 2,730 euro signs of three bytes (1 + 8,190)
    assert cut["message"] == "a" + "€" * 2730
    assert cut["messageBytes"] == 12_001
    assert whole["message"] == "y" * 8192 and "messageBytes" not in whole


def test_long_metadata_is_left_out_and_says_its_size() -> None:
    attributes = json.dumps({"dump": "z" * 9000}).encode()
    builder = FrameBuilder()
    builder.add(1, [record(attributes=attributes), record(attributes=b'{"user":"ann"}')])
    (frame,) = builder.take(NOON_MS, ["production"])
    assert frame["lines"][0]["metadata"] == {}
    assert frame["lines"][0]["metadataBytes"] == len(attributes)
    assert frame["lines"][1]["metadata"] == {"user": "ann"}
    assert "metadataBytes" not in frame["lines"][1]


def test_metadata_no_browser_can_hold_is_left_out_instead_of_breaking_the_frame() -> None:
    builder = FrameBuilder()
    builder.add(1, [record(attributes=b'{"ratio":1e999}'), record("the neighbour")])
    (frame,) = builder.take(NOON_MS, ["production"])
    assert frame["lines"][0]["metadata"] == {}
    assert frame["lines"][0]["metadataBytes"] == 15
    assert frame["lines"][1]["message"] == "the neighbour"


def test_thousands_of_service_names_do_not_make_a_frame_larger_than_its_size() -> None:
    builder = FrameBuilder(max_frame_bytes=40_000)
    builder.add(1, [record(service=f"service-{index:04}") for index in range(3000)])
    (frame,) = builder.take(NOON_MS, ["production"])
    assert len(json.dumps(frame, separators=(",", ":"))) <= 40_000
    counted = sum(entry["count"] for entry in frame["counts"])
    assert frame["uncounted"] == 3000 - counted > 0
    assert frame["total"] == 3000


def test_environments_beyond_the_limit_leave_a_hole_in_their_sequence() -> None:
    builder = FrameBuilder(max_pending_environments=1)
    builder.add(1, [record(environment="first"), record(environment="second")])
    assert builder.waiting == ["first"] and builder.lines_skipped == 1
    builder.take(NOON_MS, ["first"])
    builder.add(3, [record(environment="second")])
    (frame,) = builder.take(NOON_MS, ["second"])
    assert frame["sequence"] == 2 and frame["firstId"] == 3


def test_a_publisher_is_eight_hexadecimal_digits_and_new_for_every_process() -> None:
    names = {FrameBuilder().publisher for _ in range(20)}
    assert len(names) == 20
    assert all(len(name) == 8 and int(name, 16) >= 0 for name in names)
