"""A reader looks at services: the list, the map, one of them, and the way back."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.counted_services import CountedServices
from tests.e2e.live_page import NARROW, part, query_of
from tests.e2e.site import Site, running_site
from tests.e2e.test_explore import violations

pytestmark = pytest.mark.browser
# Long gone, so that nothing moves: ten minutes.
AT = datetime(2026, 3, 2, 10, 3, tzinfo=UTC)
QUERY = "?from=2026-03-02T10:00:00Z&to=2026-03-02T10:10:00Z"
MARKUP = "<img src=x onerror=document.body.dataset.hurt=1>"
RIGHT_TO_LEFT = "תשלומים\u202e gnp.exe"


@pytest.fixture(scope="module")
def shop(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A running site with counted calls: gateway → checkout → payment, and hostile names."""
    with running_site(postgres_url, migrated_template, tmp_path_factory.mktemp("data")) as site:
        lines = [
            {
                "source": "nightly",
                "message": f"job {number} done",
                "severity": "info",
                "timestamp": AT.isoformat(),
                "environment": "production",
            }
            for number in range(5)
        ]
        assert httpx.post(f"{site.service}/logs/ingest", json=lines).status_code == 201
        with psycopg.connect(
            site.database_url, autocommit=True, options="-c timezone=UTC"
        ) as connection:
            seed(CountedServices(connection))
        yield site


def seed(counted: CountedServices) -> None:
    counted.spans(AT, "gateway", "GET /shop", 6000, ms=90)
    counted.spans(AT, "checkout", "POST /orders", 570, ms=400)
    counted.spans(AT, "checkout", "POST /orders", 30, ms=4000, is_error=True)
    counted.spans(AT, "payment", "charge", 300, ms=1500)
    counted.spans(AT, MARKUP, MARKUP, 12, ms=7)
    counted.spans(AT, RIGHT_TO_LEFT, "GET /", 11, ms=7)
    counted.spans(AT, "comma, and -dash\\", "GET /", 10, ms=7)
    counted.spans(AT - timedelta(days=3), "old-importer", "import", 10)
    counted.calls(AT, "gateway", "checkout", 600, ms=420)
    counted.calls(AT, "checkout", "payment", 300, ms=1500)
    counted.calls(AT, "checkout", "orders-db", 900, ms=3, kind="database")
    counted.calls(AT, "checkout", MARKUP, 12, ms=7, kind="messaging")
    counted.fold()


def listed(page: Page, shop: Site, query: str = "") -> Locator:
    """The table of services, drawn."""
    page.goto(f"{shop.address}/services{QUERY}{query}")
    table = part(page, "service-list")
    expect(table.locator(".row").first).to_be_visible(timeout=60_000)
    return table


def drawn(page: Page, shop: Site, query: str = "") -> Locator:
    """The map of services, drawn."""
    page.goto(f"{shop.address}/services{QUERY}&show=map{query}")
    drawing = part(page, "service-map")
    expect(drawing.locator(".node").first).to_be_visible(timeout=60_000)
    return drawing


def node(drawing: Locator, name: str) -> Locator:
    return drawing.locator(f'.node[data-key="{name}"]')


def names(table: Locator) -> list[str]:
    return table.locator(".row .name").all_inner_texts()


def test_the_list_sorts_and_finds(shop: Site, page: Page) -> None:
    table = listed(page, shop)
    assert names(table)[:3] == ["gateway", "checkout", "payment"]
    row = table.locator(".row").nth(1)
    # 600 calls in 10 minutes are 1 a second, 30 of them failed.
    expect(row).to_contain_text("1/s")
    expect(row.locator(".of-errors")).to_contain_text("5.0 %")
    expect(row.locator(".of-change")).to_have_text("no history yet")
    table.get_by_role("button", name="Errors").click()
    assert names(table)[0] == "checkout"
    table.get_by_role("button", name="p95").click()
    assert names(table)[:2] == ["payment", "checkout"]
    expect(table.locator("[aria-sort=descending]")).to_have_text("p95")
    search = table.get_by_label("Part of a name")
    search.fill("out")
    expect(table.locator(".total")).to_contain_text("1 of")
    assert names(table) == ["checkout"]
    expect(part(page, "service-list").locator(".silence")).to_be_hidden()
    search.fill("")
    expect(table.locator(".silence")).to_contain_text("old-importer")
    # Told by its lines, which carry no duration.
    nightly = table.locator(".row", has_text="nightly")
    expect(nightly.locator(".by")).to_have_text("by its lines")
    expect(nightly.locator(".of-p95")).to_have_text("–")


def test_a_service_opens_and_back_returns_to_the_list(shop: Site, page: Page) -> None:
    table = listed(page, shop)
    table.locator(".row", has_text="checkout").locator(".open").click()
    detail = part(page, "service-detail")
    expect(detail.get_by_role("heading", name="checkout")).to_be_visible()
    assert query_of(page)["service"] == "checkout"
    expect(detail.locator(".trends .calls rect[height]").first).to_be_attached()
    expect(part(page, "service-operations")).to_contain_text("POST /orders")
    neighbours = part(page, "service-neighbours")
    expect(neighbours.locator(".row", has_text="gateway")).to_contain_text("1/s")
    expect(neighbours.locator(".row", has_text="orders-db")).to_contain_text("database")
    neighbours.locator(".row", has_text="payment").locator(".open").click()
    expect(detail.get_by_role("heading", name="payment")).to_be_visible()
    page.go_back()
    expect(detail.get_by_role("heading", name="checkout")).to_be_visible()
    page.go_back()
    expect(part(page, "service-list").locator(".row").first).to_be_visible()
    assert "service" not in query_of(page)


def test_lines_of_a_service_are_one_click_away(shop: Site, page: Page) -> None:
    table = listed(page, shop)
    row = table.locator(".row", has_text="nightly")
    row.hover()
    link = row.get_by_role("link", name="Lines")
    assert "service=nightly" in str(link.get_attribute("href"))
    link.click()
    expect(part(page, "found-lines").locator(".count")).to_contain_text("5", timeout=30_000)
    assert query_of(page)["service"] == "nightly"
    page.go_back()
    expect(part(page, "service-list").locator(".row").first).to_be_visible(timeout=30_000)
    assert "service" not in query_of(page)


def test_the_map_tells_of_a_service_and_of_a_call(shop: Site, page: Page) -> None:
    drawing = drawn(page, shop)
    node(drawing, "checkout").locator(".shape").click()
    card = drawing.locator(".card")
    expect(card).to_contain_text("checkout")
    expect(card.locator(".side", has_text="Called by")).to_contain_text("gateway")
    expect(card.locator(".side").nth(1)).to_contain_text("orders-db")
    # Whom it has nothing to do with steps back, and its neighbours show their calls.
    expect(node(drawing, "nightly")).not_to_have_class(re.compile(r"\bon\b"))
    expect(node(drawing, "payment").locator(".facts")).to_have_text(re.compile(r"0\.5/s · "))
    drawing.locator(".call .hit").nth(0).dispatch_event("pointerover")
    expect(drawing.locator(".tip")).to_contain_text("checkout → ")
    card.get_by_role("button", name="Open").click()
    detail = part(page, "service-detail")
    expect(detail.get_by_role("heading", name="checkout")).to_be_visible()
    page.go_back()
    expect(node(part(page, "service-map"), "checkout")).to_be_visible()


def test_the_map_is_narrowed_and_widened(shop: Site, page: Page) -> None:
    drawing = drawn(page, shop)
    search = drawing.get_by_label("Find a service")
    search.fill("pay")
    expect(node(drawing, "payment")).to_have_class(re.compile(r"\bfound\b"))
    search.press("Enter")
    expect(drawing.locator(".card")).to_contain_text("payment")
    drawing.locator(".card").get_by_role("button", name="Focus").click()
    expect(node(drawing, "gateway")).to_have_count(0)
    expect(node(drawing, "payment")).to_be_visible()
    more = node(drawing, "checkout").locator(".more")
    expect(more).to_have_text("+3")
    more.click()
    expect(node(drawing, "gateway")).to_be_visible()
    assert query_of(page)["focus"] == "payment"
    page.go_back()
    expect(node(drawing, "gateway")).to_have_count(0)
    drawing.get_by_role("button", name="Whole map", exact=True).click()
    expect(node(drawing, "nightly")).to_be_visible()


def test_a_refresh_leaves_the_view_and_what_is_chosen(shop: Site, page: Page) -> None:
    drawing = drawn(page, shop)
    node(drawing, "checkout").locator(".shape").click()
    drawing.get_by_role("button", name="Larger").click()
    before = drawing.locator(".world").get_attribute("transform")
    asof = drawing.locator(".asof").inner_text()
    page.wait_for_timeout(3100)  # answers are shared for three seconds
    drawing.get_by_role("button", name="Count again").click()
    expect(drawing.locator(".asof")).not_to_have_text(asof)
    assert drawing.locator(".world").get_attribute("transform") == before
    expect(node(drawing, "checkout")).to_have_class(re.compile(r"\bchosen\b"))


def test_the_map_is_moved_by_dragging_and_enlarged_by_the_wheel(shop: Site, page: Page) -> None:
    drawing = drawn(page, shop)
    shape = node(drawing, "checkout").locator(".shape")
    before = shape.bounding_box()
    assert before is not None
    x, y = before["x"] + before["width"] / 2, before["y"] + before["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 20)
    page.mouse.move(x + 120, y + 50)
    page.mouse.up()
    moved = shape.bounding_box()
    assert moved is not None
    assert (round(moved["x"] - before["x"]), round(moved["y"] - before["y"])) == (120, 50)
    # A drag that began on a service does not choose it.
    expect(drawing.locator(".card")).to_be_hidden()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_function(
        "([node, width]) => node.getBoundingClientRect().width > width * 1.2",
        arg=[shape.element_handle(), before["width"]],
    )
    drawing.get_by_role("button", name="Fit the whole map into the window").click()
    fitted = shape.bounding_box()
    assert fitted is not None
    assert abs(fitted["x"] - before["x"]) < 2 and abs(fitted["y"] - before["y"]) < 2


def test_the_map_is_walked_with_keys(shop: Site, page: Page) -> None:
    drawing = drawn(page, shop)
    # One stop for all of them: the busiest, or whoever had the focus last.
    expect(drawing.locator(".node[tabindex='0']")).to_have_attribute("data-key", "gateway")
    node(drawing, "gateway").focus()
    page.keyboard.press("ArrowRight")
    expect(drawing.locator(".node:focus")).to_have_attribute("data-key", "checkout")
    page.keyboard.press("Enter")
    expect(drawing.locator(".card")).to_contain_text("Called by")
    page.keyboard.press("Escape")
    expect(drawing.locator(".card")).to_be_hidden()


@pytest.mark.parametrize("name", [MARKUP, RIGHT_TO_LEFT, "comma, and -dash\\"])
def test_names_are_text_whatever_they_say(shop: Site, page: Page, name: str) -> None:
    table = listed(page, shop)
    shown = name.replace("\u202e", "\\u202e")
    table.locator(".row", has_text=shown).locator(".open").click()
    head = part(page, "service-detail").get_by_role("heading")
    expect(head).to_have_text(shown)
    expect(part(page, "service-operations").locator(".row")).to_have_count(1)
    drawing = drawn(page, shop)
    expect(drawing.locator(".node")).to_have_count(8)
    assert page.evaluate("() => document.body.dataset.hurt") is None


def test_owner_and_links_are_noted(shop: Site, page: Page) -> None:
    page.goto(f"{shop.address}/services{QUERY}&service=checkout")
    notes = part(page, "service-notes")
    notes.get_by_role("button").click(timeout=60_000)
    page.get_by_role("textbox", name="Owner").fill("Team <b>Checkout</b>")
    page.get_by_role("textbox", name="Links, one a line").fill(
        "Run book https://wiki.example/checkout"
    )
    page.get_by_role("button", name="Save").click()
    expect(notes).to_contain_text("Team <b>Checkout</b>")
    expect(notes.get_by_role("link", name="Run book")).to_have_attribute(
        "href", "https://wiki.example/checkout"
    )


@pytest.mark.parametrize("show", ["list", "map", "detail"])
def test_everybody_can_read_it(shop: Site, page: Page, show: str) -> None:
    if show == "list":
        listed(page, shop)
    elif show == "map":
        node(drawn(page, shop), "checkout").locator(".shape").click()
    else:
        page.goto(f"{shop.address}/services{QUERY}&service=checkout")
        expect(part(page, "service-neighbours").locator(".row").first).to_be_visible(timeout=60_000)
    assert violations(page) == []


def test_on_a_phone_nothing_is_wider_than_the_window(shop: Site, page: Page) -> None:
    page.set_viewport_size(NARROW)
    listed(page, shop)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"]
    drawn(page, shop)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW["width"]
