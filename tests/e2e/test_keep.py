"""What is kept and shared of a search, in a browser: views, links, recent searches, exports."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.live_page import Dashboard, part

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _patience() -> None:
    """A whole page is drawn between a click and what it changes."""
    expect.set_options(timeout=20_000)


def explore(page: Page, dashboard: Dashboard, query: str = "") -> None:
    """Open Explore and wait until its menus are there."""
    page.goto(f"{dashboard.address}/explore{query}")
    expect(menu_button(page, "SQL")).to_be_visible(timeout=60_000)


def menu_button(page: Page, words: str) -> Locator:
    """One of the menus at the right of the tabs."""
    return part(page, "keep-bar").get_by_role("button").filter(has_text=words)


def opened_menu(page: Page, words: str) -> Locator:
    """The menu, open."""
    menu_button(page, words).click()
    menu = page.get_by_test_id("stPopoverBody")
    expect(menu).to_be_visible()
    return menu


def query_of(url: str) -> dict[str, str]:
    parameters = parse_qs(urlsplit(url).query, keep_blank_values=True)
    return {name: values[-1] for name, values in parameters.items()}


def url_says(check: Callable[[dict[str, str]], bool]) -> Callable[[str], bool]:
    return lambda url: check(query_of(url))


def test_a_view_is_saved_modified_shared_and_deleted(dashboard: Dashboard, page: Page) -> None:
    explore(page, dashboard, "?severity=error&range=1h&cols=message")
    menu = opened_menu(page, "Views")
    menu.get_by_label("Save what you see").fill("Checkout errors")
    menu.get_by_label("Your name").fill("Ada")
    menu.get_by_role("button", name="Save view").click()
    expect(menu_button(page, "Checkout errors")).to_be_visible()
    page.wait_for_url(url_says(lambda query: set(query) == {"view"}))
    view = query_of(page.url)["view"]
    kept = httpx.get(f"{dashboard.service}/views/{view}").json()
    assert (kept["name"], kept["owner"]) == ("Checkout errors", "Ada")
    # How the lines look is kept too, whatever another reader prefers.
    assert kept["state"]["cols"] == "message" and kept["state"]["wrap"] == "0"

    # A filter that is taken away stays away, and says so in the URL.
    page.keyboard.press("Escape")
    part(page, "severity-error").get_by_role("button").click()
    expect(menu_button(page, "Checkout errors · modified")).to_be_visible()
    page.wait_for_url(url_says(lambda query: query == {"view": view, "severity": ""}))
    page.reload()
    expect(menu_button(page, "Checkout errors · modified")).to_be_visible()
    expect(part(page, "filter-chips")).not_to_contain_text("severity error")

    menu = opened_menu(page, "Checkout errors")
    menu.get_by_role("button", name="Discard changes").click()
    page.wait_for_url(url_says(lambda query: query == {"view": view}))
    page.keyboard.press("Escape")

    # Somebody else opens the short link, on another page.
    copy = part(page, "share").locator("button.main")
    expect(copy).to_have_attribute("title", "Copies the short link of this saved view")
    copy.click()
    expect(copy).to_have_text("Copied")
    link = copy.get_attribute("data-link")
    assert link is not None and query_of(link) == {"view": view}
    other = page.context.browser.new_context()  # type: ignore[union-attr]
    reader = other.new_page()
    reader.goto(f"{dashboard.address}/?view={view}")
    expect(part(reader, "filter-chips")).to_contain_text("view Checkout errors")
    expect(part(reader, "filter-chips")).to_contain_text("severity error")
    # The feed has the columns of the view, and its address stays short.
    expect(reader.locator("div.columns")).to_have_text("Message", ignore_case=True)
    assert query_of(reader.url) == {"view": view}
    other.close()

    menu = opened_menu(page, "Checkout errors")
    menu.get_by_role("button", name="Delete…").click()
    menu.get_by_role("button", name="Keep it").click()
    assert httpx.get(f"{dashboard.service}/views/{view}").status_code == 200
    menu.get_by_role("button", name="Delete…").click()
    menu.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_url(url_says(lambda query: "view" not in query and query["range"] == "1h"))
    assert httpx.get(f"{dashboard.service}/views/{view}").status_code == 404
    page.goto(link)
    expect(part(page, "filter-chips")).to_contain_text(f"there is no saved view '{view}'")


def test_a_relative_time_is_copied_as_it_is_on_request(dashboard: Dashboard, page: Page) -> None:
    explore(page, dashboard, "?severity=error&range=1h")
    share = part(page, "share")
    copy = share.locator("button.main")
    for name, wanted in (
        ("relative", {"severity", "range"}),
        ("fixed", {"severity", "from", "to"}),
    ):
        share.locator("button.more").click()
        share.locator(f"button.{name}").click()
        expect(copy).to_have_text("Copied")
        assert set(query_of(copy.get_attribute("data-link") or "")) == wanted


def test_recent_searches_come_back_with_a_click_and_can_be_forgotten(
    dashboard: Dashboard, page: Page
) -> None:
    explore(page, dashboard, "?q=%3Cimg+src%3Dx%3E&severity=error")
    page.wait_for_function("localStorage.getItem('logstream.recent')?.includes('<img')")
    page.get_by_role("button", name="Reset filters").click()
    page.wait_for_url(url_says(lambda query: "q" not in query))
    menu = opened_menu(page, "Recent")
    search = menu.locator("button.search")
    expect(search).to_have_count(1)
    expect(search).to_contain_text("error with <img")  # as text
    search.click()
    page.wait_for_url(url_says(lambda query: query.get("q") == "<img src=x>"))
    expect(part(page, "filter-chips")).to_contain_text("severity error")
    menu = page.get_by_test_id("stPopoverBody")
    if not menu.is_visible():
        menu = opened_menu(page, "Recent")
    menu.get_by_role("button", name="Forget all").click()
    expect(menu).to_contain_text("Nothing yet")
    assert page.evaluate("localStorage.getItem('logstream.recent')") == "[]"


def test_the_whole_result_is_saved_as_a_file(
    dashboard: Dashboard, page: Page, tmp_path: Path
) -> None:
    explore(page, dashboard, "?severity=error&range=24h")
    menu = opened_menu(page, "Export")
    expect(menu).to_contain_text("About 2 lines")
    with page.expect_download() as download:
        menu.get_by_role("button", name="Save as a file").click()
    assert download.value.suggested_filename.endswith(".ndjson")
    download.value.save_as(tmp_path / "lines")
    lines = [json.loads(line) for line in (tmp_path / "lines").read_bytes().splitlines()]
    assert {line["severity"] for line in lines} == {"error"} and len(lines) == 2
    expect(menu.get_by_role("status")).to_contain_text("Saved: 2 lines")


def test_an_export_that_is_cut_off_saves_nothing_and_says_so(
    dashboard: Dashboard, page: Page
) -> None:
    # The browser itself says what it says of a connection that ends too early.
    script = """
      const real = globalThis.fetch;
      globalThis.fetch = async (url, options) => {
        const reply = await real(url, options);
        if (!String(url).includes("/logs/export")) return reply;
        const body = new ReadableStream({
          start(stream) { stream.enqueue(new TextEncoder().encode('{"id": 1}\\n')); },
          pull(stream) { stream.error(new TypeError("network error")); },
        });
        return new Response(body, { headers: reply.headers });
      };
    """
    page.add_init_script(script)
    explore(page, dashboard, "?range=24h")
    downloads: list[object] = []
    page.on("download", lambda download: downloads.append(download))
    menu = opened_menu(page, "Export")
    menu.get_by_role("button", name="Save as a file").click()
    expect(menu.get_by_role("status")).to_contain_text("cut off before its end")
    assert downloads == []
