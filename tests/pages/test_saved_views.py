"""Saved views on the pages: opened by a link, modified, saved, given up, deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from logstream.land.view_table import ViewTable
from logstream.saved_view import SavedView, ViewDraft
from logstream.show import session
from logstream.show.keep.views_menu import differs
from tests.service_thread import running_service, settings_for
from tests.shop import OpenPage, chip_buttons, chips, text_of, type_search, url_of

ERRORS = ViewDraft(
    "Checkout errors",
    {"service": "checkout", "severity": "error", "range": "1h", "tz": "UTC", "cols": "message"},
    "Ada",
)


@pytest.fixture
def saved(open_page: OpenPage, database_url: str) -> SavedView:
    """A view in the database behind the pages."""
    return ViewTable(database_url).add(ERRORS)


@pytest.fixture
def with_service(
    dashboard: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Iterator[None]:
    """The service that saves for the pages."""
    with running_service(settings_for(database_url, tmp_path)) as base:
        dashboard.setenv("LOGSTREAM_URL", base)
        session.settings.clear()
        yield


def label(page: AppTest) -> str:
    """What the button of the menu says."""
    menus = [one.proto.popover for one in page.get("popover")]
    return next(str(menu.label) for menu in menus if menu.icon == ":material/bookmark:")


@pytest.mark.parametrize("name", ["live", "explore"])
def test_a_link_opens_a_view_on_every_page(
    open_page: OpenPage, saved: SavedView, name: str
) -> None:
    page = open_page(name, view=saved.id)
    assert chips(page) == [
        "view Checkout errors",
        "service checkout",
        "severity error",
        "last 1 h (UTC)",
    ]
    assert url_of(page) == {"view": saved.id}


def test_what_a_link_says_wins_over_the_view_and_is_a_modification(
    open_page: OpenPage, saved: SavedView
) -> None:
    page = open_page("explore", view=saved.id, severity="warn", service="")
    assert chips(page) == ["view Checkout errors · modified", "severity warn", "last 1 h (UTC)"]
    assert url_of(page) == {"view": saved.id, "severity": "warn", "service": ""}


def test_the_url_holds_the_view_and_what_was_changed(open_page: OpenPage, saved: SavedView) -> None:
    page = open_page("explore", view=saved.id)
    page.button(key="severity-error").click().run()
    assert url_of(page) == {"view": saved.id, "severity": ""}
    assert chips(page)[0] == "view Checkout errors · modified"
    # The same after a reload: a filter that was taken away does not come back.
    again = open_page("explore", **url_of(page))
    assert chips(again) == chips(page)
    page.button(key="severity-error").click().run()
    assert url_of(page) == {"view": saved.id}
    assert chips(page)[0] == "view Checkout errors"
    page.segmented_control(key="pick-range").set_value("24h").run()
    assert url_of(page) == {"view": saved.id, "range": "24h"}
    page.button(key="view-discard").click().run()
    assert url_of(page) == {"view": saved.id}
    page.button(key="view-close").click().run()
    assert url_of(page) == {"service": "checkout", "severity": "error", "range": "1h"}


@pytest.mark.parametrize(
    ("view_id", "words"),
    [
        ("abcdefgh", "there is no saved view 'abcdefgh' (any more)"),
        ("../../etc/passwd", "view '../../etc/passwd' is no saved view"),
        ("<img src=x>", "view '<img src=x>' is no saved view"),
    ],
)
def test_a_view_that_is_not_there_is_said_to_be_gone(
    open_page: OpenPage, view_id: str, words: str
) -> None:
    page = open_page("explore", view=view_id, severity="error")
    assert chips(page)[0] == "severity error"
    assert words in chips(page)[-1].replace("\\", "")
    chip_buttons(page)[1].click().run()
    assert url_of(page) == {"severity": "error"}


def test_a_team_view_is_listed_for_all_and_a_personal_one_is_not(
    open_page: OpenPage, saved: SavedView, database_url: str
) -> None:
    own = ViewTable(database_url).add(ViewDraft("Bob's own", {"q": "cart"}, "Bob", is_team=False))
    mine = ViewTable(database_url).add(ViewDraft("Mine", {"q": "cart"}, is_team=False))
    page = open_page("explore")
    keys = {button.key for button in page.button}
    assert f"view-open-{saved.id}" in keys and f"view-open-{mine.id}" in keys
    assert f"view-open-{own.id}" not in keys
    page.button(key=f"view-open-{saved.id}").click().run()
    assert url_of(page) == {"view": saved.id}
    assert chips(page)[0] == "view Checkout errors"
    assert chip_buttons(open_page("explore", view=own.id))[0].label.startswith("view Bob")


@pytest.mark.usefixtures("with_service")
def test_a_view_is_saved_changed_and_deleted_from_the_page(
    open_page: OpenPage, database_url: str
) -> None:
    page = open_page("explore", severity="error", tab="patterns")
    page.text_input(key="view-name").set_value("  [Bad](http://x) days ")
    page.text_input(key="view-owner").set_value("Ada")
    next(one for one in page.button if one.label == "Save view").click().run()
    [kept] = session.saved_views()
    assert (kept.name, kept.owner, kept.is_team) == ("[Bad](http://x) days", "Ada", True)
    assert kept.state == {"severity": "error", "tz": "UTC", "tab": "patterns"}
    assert url_of(page) == {"view": kept.id}
    assert "](" not in label(page).replace("\\", "~~")

    assert page.button(key="view-save").disabled
    type_search(page, "declined")
    page.button(key="view-save").click().run()
    assert url_of(page) == {"view": kept.id}
    assert session.saved_views()[0].state["q"] == "declined"

    page.button(key="view-delete").click().run()
    assert any("Delete “" in one.value for one in page.markdown)
    assert len(session.saved_views()) == 1
    page.button(key="view-delete-yes").click().run()
    assert session.saved_views() == []
    assert url_of(page) == {"q": "declined", "severity": "error", "tab": "patterns"}


def test_saving_without_the_service_says_so_and_loses_nothing(open_page: OpenPage) -> None:
    page = open_page("explore", severity="error")
    page.text_input(key="view-name").set_value("Errors")
    next(one for one in page.button if one.label == "Save view").click().run()
    assert "does not answer" in text_of(page)
    assert page.text_input(key="view-name").value == "Errors"
    assert url_of(page) == {"severity": "error"}


def test_the_look_of_lines_is_part_of_a_view(saved: SavedView) -> None:
    assert not differs(saved, {})
    assert not differs(saved, {"cols": "message", "wrap": "1"})
    assert differs(saved, {"cols": "time,message"})


def test_the_sql_of_what_is_shown_can_be_copied(open_page: OpenPage) -> None:
    page = open_page("explore", severity="error", service="o'hara")
    [sql] = [block.value for block in page.code if "FROM logs" in block.value]
    assert "service_name IN ('o''hara')" in sql
