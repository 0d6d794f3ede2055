"""Facets of any field, attributes, differences, severities over time, surroundings: over HTTP."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest


def get(base: str, path: str, **parameters: str) -> httpx.Response:
    return httpx.get(
        base + path, params={name.rstrip("_"): value for name, value in parameters.items()}
    )


@pytest.fixture
def shop(service: str) -> str:
    """An hour of a shop: 120 orders, then 40 orders and 40 time-outs in the last ten minutes."""
    end = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def line(seconds_ago: float, is_broken: bool) -> dict[str, object]:
        region = "west" if is_broken or int(seconds_ago) % 2 else "east"
        return {
            "source": "payments" if is_broken else "orders",
            "message": "charge timed out" if is_broken else "order placed",
            "severity": "error" if is_broken else "info",
            "createdAt": (end - timedelta(seconds=seconds_ago)).isoformat(),
            "environment": "production",
            "metadata": {"region": region, "host": {"name": "web-1"}},
        }

    records = [line(610 + 20 * n, False) for n in range(120)]
    records += [line(1 + 14 * n, is_broken) for n in range(40) for is_broken in (False, True)]
    assert httpx.post(f"{service}/logs/ingest", json=records).status_code == 201
    return service


LAST_TEN_MINUTES = {"from_": "2026-03-01T11:50:00Z", "to": "2026-03-01T12:00:00Z"}


def test_facets_name_any_field(shop: str) -> None:
    found = get(shop, "/logs/facets", fields="pattern,attribute:region,severity").json()
    assert list(found) == ["pattern", "attribute:region", "severity"]
    assert [one["count"] for one in found["pattern"]] == [160, 40]
    assert found["severity"] == [{"value": "info", "count": 160}, {"value": "error", "count": 40}]
    nested = get(shop, "/logs/facets", fields="attribute:host.name").json()
    assert nested == {"attribute:host.name": [{"value": "web-1", "count": 200}]}
    # Its own condition does not narrow an attribute's values, but those of others.
    east = get(shop, "/logs/facets", q="region:east", fields="attribute:region,severity").json()
    assert east["attribute:region"] == found["attribute:region"]
    assert [one["value"] for one in east["severity"]] == ["info"]
    assert list(get(shop, "/logs/facets").json()) == ["severity", "service", "env"]


def test_fields_are_every_attribute_with_its_values(shop: str) -> None:
    found = get(shop, "/logs/fields", values="1", severity="error").json()
    assert (found["looked"], found["total"]) == (40, 40)
    assert found["fields"] == [
        {
            "name": name,
            "lines": 40,
            "distinct": 1,
            "values": [{"value": value, "count": 40}],
            "kind": "text",
        }
        for name, value in (("host.name", "web-1"), ("region", "west"))
    ]


def test_differences_come_with_the_filter_that_shows_them(shop: str) -> None:
    found = get(shop, "/logs/differences", **LAST_TEN_MINUTES).json()
    # 11:40 to 11:50: 30 of the orders, one in 20 seconds.
    assert (found["total"], found["baselineTotal"]) == (80, 30)
    assert found["baseline"] == {"from": "2026-03-01T11:40:00Z", "to": "2026-03-01T11:50:00Z"}
    for one in found["differences"]:
        shown = get(shop, "/logs/search", limit="1000", **one["filter"]).json()["logs"]
        if one["field"] != "pattern":
            assert len(shown) == one["count"], one
    error = next(one for one in found["differences"] if one["value"] == "error")
    assert error["share"] == 0.5 and error["lift"] is None and error["pValue"] < 0.01
    assert error["filter"] == {
        "severity": "error",
        "from": "2026-03-01T11:50:00Z",
        "to": "2026-03-01T12:00:00Z",
    }
    whole = get(
        shop,
        "/logs/differences",
        **LAST_TEN_MINUTES,
        baselineFrom="2026-03-01T11:00:00Z",
        baselineTo="2026-03-01T11:50:00Z",
        limit="1",
    ).json()
    assert whole["baselineTotal"] == 120 and len(whole["differences"]) == 1


def test_a_trend_counts_severities_beside_the_time_before(shop: str) -> None:
    found = get(
        shop, "/logs/trend", by="severity", compare="previous", bucket="300", **LAST_TEN_MINUTES
    ).json()
    assert found["bucketSeconds"] == 300
    assert [one["previous"] for one in found["buckets"]] == [15, 15]
    first = found["buckets"][0]
    assert first["start"] == "2026-03-01T11:50:00Z" and first["end"] == "2026-03-01T11:55:00Z"
    assert list(first["severities"]) == ["fatal", "error", "warn", "info", "debug", "trace"]
    assert sum(one["severities"]["error"] for one in found["buckets"]) == 40
    assert sum(one["error"] for one in found["buckets"]) == 40
    days = get(shop, "/logs/trend", bucket="86400", tz="Asia/Kolkata", **LAST_TEN_MINUTES).json()[
        "buckets"
    ]
    assert [(one["start"], one["total"]) for one in days] == [("2026-02-28T18:30:00Z", 80)]
    assert "severities" not in days[0] and "previous" not in days[0]


def test_a_line_is_surrounded_by_its_trace_or_its_host(service: str) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    records = [
        {
            "source": ("cart", "payments")[n % 2],
            "message": f"line {n}",
            "createdAt": f"2026-03-01T12:00:{n:02d}Z",
            "environment": "staging" if n == 5 else "production",
            "metadata": {
                **({"traceId": trace} if n % 3 == 0 else {}),
                **({"k8s.node.name": "node-7"} if n in (1, 6, 9, 5) else {}),
            },
        }
        for n in range(12)
    ]
    first, _ = httpx.post(f"{service}/logs/ingest", json=records).json()["ids"]

    def around(line: int, scope: str) -> list[list[str]]:
        found = get(service, f"/logs/{first + line}/context", scope=scope, severity="fatal").json()
        return [[one["message"] for one in found[side]] for side in ("before", "after")]

    assert around(6, "trace") == [["line 3", "line 0"], ["line 9"]]
    # Line 5 is of the same host's name in another environment.
    assert around(6, "host") == [["line 1"], ["line 9"]]
    for scope, line in (("trace", 1), ("host", 2)):
        refused = get(service, f"/logs/{first + line}/context", scope=scope)
        assert refused.status_code == 400
        error = refused.json()["error"]
        assert error["message"] == f"line {first + line} names no {scope}"
        assert "scope=service" in error["hint"]
    assert get(service, "/logs/999999/context", scope="trace").status_code == 404


@pytest.mark.parametrize(
    ("path", "parameters", "said"),
    [
        ("/logs/facets", {"fields": "colour"}, "'colour' is no field"),
        ("/logs/facets", {"fields": "attribute:"}, "'attribute:' is no field"),
        ("/logs/facets", {"fields": ""}, "names 0 fields"),
        ("/logs/facets", {"fields": ",".join(f"attribute:a{n}" for n in range(31))}, "31 fields"),
        ("/logs/fields", {"values": "1000"}, "values=1000"),
        ("/logs/differences", {}, "no time before all time"),
        ("/logs/differences", {"baselineFrom": "noon"}, "'noon' is not a time"),
        ("/logs/trend", {"by": "colour"}, "by=colour"),
        ("/logs/trend", {"tz": "Mars/Olympus"}, "'Mars/Olympus' is not known"),
        ("/logs/trend", {"by": "severity", "range": "90d", "bucket": "60"}, "pieces"),
    ],
)
def test_a_wrong_parameter_is_a_400_that_names_it(
    service: str, path: str, parameters: dict[str, str], said: str
) -> None:
    reply = get(service, path, **parameters)
    assert reply.status_code == 400
    assert said in reply.json()["error"]["message"]
