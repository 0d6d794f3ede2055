"""Saved views are kept, found, changed and gone, on every server we support."""

import psycopg
import pytest

from logstream.errors import Forbidden, StoreUnavailable
from logstream.land.view_table import MOST_VIEWS, ViewTable
from logstream.query import views
from logstream.query.reader import PostgresReader
from logstream.saved_view import ViewDraft

ERRORS = ViewDraft("Payment errors", {"service": "payment-gateway", "severity": "error"}, "Ada")


def test_a_saved_view_is_found_as_it_was_saved(database_url: str, reader: PostgresReader) -> None:
    table = ViewTable(database_url)
    kept = table.add(ERRORS)
    assert (kept.name, kept.state, kept.owner, kept.is_team) == (
        "Payment errors",
        ERRORS.state,
        "Ada",
        True,
    )
    assert reader.saved_view(kept.id) == kept
    other = table.add(ViewDraft("cart, slow", {"q": "latency>500"}, "Bob", is_team=False))
    assert reader.saved_views() == [other, kept]  # by name, whatever its case


def test_a_view_is_changed_as_a_whole_and_keeps_its_id(
    database_url: str, reader: PostgresReader
) -> None:
    table = ViewTable(database_url)
    kept = table.add(ERRORS)
    changed = table.change(kept.id, ViewDraft("Refunds", {"q": "refund"}, "Ada", is_team=False))
    assert changed is not None and reader.saved_view(kept.id) == changed
    assert (changed.name, changed.state, changed.is_team) == ("Refunds", {"q": "refund"}, False)
    assert changed.created_at == kept.created_at < changed.updated_at


def test_a_deleted_view_is_gone(database_url: str, reader: PostgresReader) -> None:
    table = ViewTable(database_url)
    kept = table.add(ERRORS)
    assert table.remove(kept.id)
    assert reader.saved_view(kept.id) is None and reader.saved_views() == []
    assert not table.remove(kept.id)
    assert table.change(kept.id, ERRORS) is None


def test_any_text_is_kept_as_text(database_url: str, reader: PostgresReader) -> None:
    hostile = ViewDraft("'); DROP TABLE saved_views; --", {"q": '"\\ <b>💥 ‮'}, "o'Hara %s")
    kept = ViewTable(database_url).add(hostile)
    assert reader.saved_view(kept.id) == kept
    assert (kept.name, kept.state, kept.owner) == (hostile.name, hostile.state, hostile.owner)


def test_the_table_has_an_end(database_url: str) -> None:
    assert views.MOST_VIEWS == MOST_VIEWS
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO saved_views (view_id, name, owner, is_team, state)"
            " SELECT 'n' || n, 'view', 'someone', true, '{}' FROM generate_series(1, %s) n",
            [MOST_VIEWS],
        )
    with pytest.raises(Forbidden, match="2000 views"):
        ViewTable(database_url).add(ERRORS)


def test_a_database_that_is_away_is_said_to_be() -> None:
    with pytest.raises(StoreUnavailable):
        ViewTable("postgresql://nobody@127.0.0.1:9/none").add(ERRORS)
