"""The waterfall of one trace over a real service, driven in a real Chromium."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import new_database
from tests.pages.feed_tab import running_streamlit
from tests.pages.panels_harness_data import LONG, MARKUP, RIGHT_TO_LEFT
from tests.pages.sent_traces import Sender, checkout, id_of, many_spans
from tests.service_thread import running_service, settings_for

pytestmark = pytest.mark.browser
HARNESS = Path(__file__).with_name("waterfall_harness.py")
HACK = f"{MARKUP}{RIGHT_TO_LEFT}"


class Waterfall:
    """One tab on the harness, and what Python was told by it."""

    def __init__(self, page: Page, address: str, service: str, asked: Path) -> None:
        self.page, self.address, self.service, self.asked_log = page, address, service, asked
        asked.unlink(missing_ok=True)
        self.rows = page.locator(".trace .row")
        self.drawer = page.get_by_test_id("span-detail")

    def open(self, trace_id: str, query: str = "") -> None:
        self.page.goto(f"{self.address}/?trace={trace_id}{query}")
        expect(self.rows.first).to_be_visible(timeout=30_000)

    def row(self, words: str) -> Any:
        """By what is said of it, `service · operation` first."""
        return self.page.locator(f".trace .row[aria-label*='{words}']").first

    def drawn(self) -> list[str]:
        """What the rows in sight say, top first; two dots a level."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll('*')]
                .flatMap((element) => element.shadowRoot ? [element.shadowRoot] : [])
                .flatMap((root) => [...root.querySelectorAll('.trace .row')])
                .sort((a, b) => parseInt(a.style.top) - parseInt(b.style.top))
                .map((row) => '··'.repeat(row.getAttribute('aria-level') - 1)
                    + row.querySelector('.operation, .message').textContent)"""
        )

    def expect_drawn(self, *words: str) -> None:
        deadline = time.monotonic() + 10
        while self.drawn() != list(words) and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert self.drawn() == list(words)

    def asked(self) -> dict[str, Any]:
        """What was asked of Python last."""
        deadline = time.monotonic() + 10
        while not self.asked_log.exists() and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        last: dict[str, Any] = json.loads(self.asked_log.read_text().splitlines()[-1])
        return last

    def expect_selected(self, words: str) -> None:
        selected = self.page.locator(".row.selected .operation, .row.selected .message")
        expect(selected).to_have_text(words)


@pytest.fixture(scope="module")
def place(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str, Path]]:
    """(page's address, service's address, the file of what was asked)."""
    folder = tmp_path_factory.mktemp("waterfall")
    with new_database(postgres_url, migrated_template) as database_url:
        settings = settings_for(database_url, folder)
        told = {
            "FEED_SERVICE_PORT": str(settings.port),
            "WATERFALL_ASKED": str(folder / "asked"),
            "LOGSTREAM_DATA_DIR": str(folder),
        }
        with (
            running_service(settings) as service,
            running_streamlit(HARNESS, folder / "log", told) as address,
        ):
            yield address, service, folder / "asked"


@pytest.fixture
def waterfall(browser: Browser, place: tuple[str, str, Path]) -> Iterator[Waterfall]:
    """A tab; fails on any script error, and when what was sent ran as a script."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield Waterfall(page, *place)
    assert page.evaluate("globalThis.hacked") is None
    assert page.locator(".trace img").count() == 0
    context.close()
    assert errors == []


CHECKOUT = [
    "POST /checkout",
    "··order 1042 received from customer 77",
    "··GET /cart",
    "····GET /cart",
    "······HGETALL cart",
    "··GET /stock",
    "····GET /stock",
    "······SELECT stock",
    "········slow query: 160 ms",
    "··POST /pay",
    "····POST /pay",
    "······payment of order 1042 failed: provider timed out",
    "······TimeoutError: no answer of the provider within 400 ms",
    "··order.created",
    # Of a service that sent no span.
    "····order 1042 refused",
    "······order 1042 refused",
]


def test_a_trace_is_a_tree_with_its_lines_and_exceptions(waterfall: Waterfall) -> None:
    waterfall.open(checkout(waterfall.service).send())
    waterfall.expect_drawn(*CHECKOUT)
    head = waterfall.page.locator(".top")
    expect(head).to_contain_text("POST /checkout")
    for figure in ("842 ms", "11 spans", "6 services", "2 errors", "4 lines"):
        expect(head.locator(".figures")).to_contain_text(figure)
    failed = waterfall.row("payment · POST /pay")
    expect(failed.locator(".sign.error")).to_have_text("⊗")
    expect(failed.locator(".length")).to_have_text("455 ms")
    # One line and one exception are marked on its bar.
    expect(failed.locator(".tick")).to_have_count(2)
    expect(waterfall.row("audit").locator(".bar")).to_have_class("bar span derived")
    expect(waterfall.page.locator(".notices")).to_contain_text("1 span is made from log lines")
    expect(waterfall.rows.first.locator(".critical").first).to_be_attached()
    title = failed.get_attribute("title") or ""
    assert "server, error: provider timed out" in title and "own time 455 ms" in title


def test_lines_and_exceptions_are_switched_apart(waterfall: Waterfall) -> None:
    waterfall.open(checkout(waterfall.service).send())
    expect(waterfall.rows).to_have_count(16)
    waterfall.page.get_by_role("button", name="4 lines").click()
    expect(waterfall.rows).to_have_count(12)
    expect(waterfall.row("payment · POST /pay").locator(".tick")).to_have_count(1)
    waterfall.page.get_by_role("button", name="1 exception").click()
    expect(waterfall.rows).to_have_count(11)


def test_the_keyboard_goes_through_folds_and_opens(waterfall: Waterfall) -> None:
    waterfall.open(checkout(waterfall.service).send())
    press = waterfall.page.keyboard.press
    for key in ("j", "j", "ArrowDown"):
        press(key)
    waterfall.expect_selected("GET /cart")
    press("ArrowLeft")
    expect(waterfall.rows).to_have_count(14)
    expect(waterfall.row("frontend · GET /cart").locator(".inside")).to_have_text("2")
    press("ArrowRight")
    expect(waterfall.rows).to_have_count(16)
    press("ArrowRight")
    waterfall.expect_selected("GET /cart")
    press("ArrowRight")
    waterfall.expect_selected("HGETALL cart")
    press("ArrowLeft")
    press("ArrowLeft")
    press("ArrowLeft")
    # The leaf led to its parent, which was folded, and then to the parent above.
    waterfall.expect_selected("GET /cart")
    press("]")
    press("[")
    press("[")
    expect(waterfall.rows).to_have_count(6)
    press("e")
    waterfall.expect_selected("POST /pay")
    press("Enter")
    expect(waterfall.drawer).to_be_visible()
    press("Escape")
    expect(waterfall.drawer).to_be_hidden()
    press("?")
    expect(waterfall.page.get_by_role("dialog")).to_contain_text("critical path on or off")
    press("?")
    expect(waterfall.page.get_by_role("dialog")).to_be_hidden()


def test_the_drawer_tells_a_span_whole_and_asks_for_traces_like_it(waterfall: Waterfall) -> None:
    sent = checkout(waterfall.service)
    waterfall.open(sent.send())
    waterfall.row("payment · POST /pay").click()
    drawer = waterfall.drawer
    for words in ("provider timed out", "455 ms, 54 % of the trace", "payment.provider", "acme"):
        expect(drawer).to_contain_text(words)
    expect(drawer).to_contain_text("Traceback (most recent call last)")
    expect(drawer.locator(".its-line")).to_contain_text("payment of order 1042 failed")
    provider = drawer.locator(".leaf").filter(has_text="payment.provider")
    provider.hover()
    provider.get_by_role("button", name="Only traces with payment.provider acme").click()
    assert waterfall.asked() == {
        "kind": "filter",
        "key": "payment.provider",
        "value": "acme",
        "isExcluded": False,
    }
    drawer.locator(".its-line").click()
    expect(drawer).to_contain_text("payment of order 1042 failed: provider timed out")
    drawer.get_by_role("button", name="Open in Explore").click()
    waterfall.page.wait_for_timeout(300)
    asked = waterfall.asked()
    assert asked["kind"] == "explore" and asked["value"] == sent.trace_id


def test_a_selected_span_is_in_the_url_and_a_link_selects_it(waterfall: Waterfall) -> None:
    trace_id = checkout(waterfall.service).send()
    waterfall.open(trace_id)
    waterfall.row("SELECT stock").click()
    waterfall.page.wait_for_url(f"**&span={id_of('sql')}")
    waterfall.open(trace_id, f"&span={id_of('mail')}")
    expect(waterfall.page.locator(".row.selected")).to_contain_text("order.created")


def test_search_dims_the_others_and_leads_through_what_it_found(waterfall: Waterfall) -> None:
    waterfall.open(checkout(waterfall.service).send())
    press = waterfall.page.keyboard.press
    press("/")
    waterfall.page.keyboard.type("pay")
    found = waterfall.page.locator(".found")
    # Two spans named so, and the line of the failed payment.
    expect(found).to_have_text("3 found")
    expect(waterfall.row("order.created")).to_have_class("row dim")
    press("Enter")
    expect(found).to_have_text("1 of 3")
    expect(waterfall.page.locator(".row.current")).to_contain_text("POST /pay")
    # Attributes are found too, once they are there.
    waterfall.page.get_by_placeholder("Search in this trace").fill("region:eu")
    expect(found).to_have_text("1 found")
    press("Escape")
    expect(found).to_have_text("")
    expect(waterfall.page.locator(".row.dim")).to_have_count(0)
    chip = waterfall.page.locator(".services .of").filter(has_text="inventory")
    chip.click()
    expect(waterfall.row("frontend · GET /cart")).to_have_class("row dim")
    expect(found).to_have_text("2 found")


def test_dragging_over_the_minimap_zooms_and_a_double_click_restores(waterfall: Waterfall) -> None:
    waterfall.open(checkout(waterfall.service).send())
    box = waterfall.page.locator(".minimap").bounding_box()
    assert box is not None
    mouse = waterfall.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + 10)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 10, steps=4)
    mouse.up()
    # The second half of 842 ms begins at 421.
    expect(waterfall.page.locator(".labels .at").first).to_have_text("450 ms")
    expect(waterfall.row("HGETALL cart").locator(".beyond")).to_have_text("◂")
    expect(waterfall.row("order.created").locator(".beyond")).to_have_text("▸")
    mouse.dblclick(box["x"] + 20, box["y"] + 10)
    expect(waterfall.page.locator(".labels .at").first).to_have_text("0")
    expect(waterfall.page.locator(".beyond")).to_have_count(0)


def test_statistics_and_flame_graph(waterfall: Waterfall) -> None:
    waterfall.open(checkout(waterfall.service).send())
    waterfall.page.get_by_role("tab", name="Statistics").click()
    table = waterfall.page.locator(".statistics table")
    # Own time: payment 455; frontend 842 − 96 − 210 − 470 − 20 = 46, 96 − 84 = 12,
    # 210 − 190 = 20, 470 − 455 = 15: 93; inventory 190, cart 84, mailer 20.
    order = table.locator("tbody .service")
    expect(order).to_have_text(["payment", "inventory", "frontend", "cart", "mailer", "audit"])
    expect(table.locator("tbody tr").nth(2)).to_contain_text("93 ms")
    table.get_by_role("button", name="Spans", exact=False).first.click()
    expect(order.first).to_have_text("frontend")
    waterfall.page.get_by_role("button", name="By operation").click()
    table.locator("tr").filter(has_text="HGETALL cart").click()
    expect(waterfall.page.locator(".row.selected")).to_contain_text("HGETALL cart")
    waterfall.page.get_by_role("tab", name="Flame graph").click()
    blocks = waterfall.page.locator(".block")
    expect(blocks).to_have_count(10)
    blocks.filter(has_text="inventory GET /stock").click()
    expect(blocks).to_have_count(4)  # with the two above it
    waterfall.page.get_by_role("button", name="Whole trace").click()
    expect(blocks).to_have_count(10)


def test_names_are_drawn_as_text_and_never_as_markup(waterfall: Waterfall) -> None:
    sent = Sender(waterfall.service, "hostile")
    sent.span("h1", None, HACK, MARKUP, 0, 10, error=HACK, exception=HACK, attributes={HACK: HACK})
    sent.span("h2", "h1", LONG, RIGHT_TO_LEFT, 2, 5, links=[(id_of("other", 32), id_of("x"))])
    sent.line("h1", HACK, 3, HACK, "error")
    waterfall.open(sent.send())
    expect(waterfall.rows).to_have_count(4)
    expect(waterfall.rows.first).to_contain_text("<img src=x")
    expect(waterfall.row("TimeoutError")).to_contain_text("\\u202e")
    waterfall.rows.first.click()
    expect(waterfall.drawer).to_contain_text("Traceback")
    waterfall.page.locator(".row[data-kind=span]").nth(1).click()
    waterfall.drawer.get_by_role("button", name="Open trace").click()
    assert waterfall.asked() == {"kind": "trace", "value": id_of("other", 32), "span": id_of("x")}
    for key in ("2", "3", "1"):
        waterfall.page.keyboard.press(key)
        waterfall.page.wait_for_timeout(50)


def test_what_does_not_fit_is_drawn_where_it_is_and_said(waterfall: Waterfall) -> None:
    sent = Sender(waterfall.service, "odd")
    sent.span("o1", None, "a", "root", 0, 100)
    sent.span("o2", "o1", "a", "too late", 90, 40)
    sent.span("o3", "nobody", "b", "orphan", 20, 10)
    sent.span("o4", "o5", "c", "round", 30, 10)
    sent.span("o5", "o4", "c", "and round", 40, 10)
    sent.span("o6", "o1", "a", "no time", 50, 0)
    waterfall.open(sent.send())
    waterfall.expect_drawn(
        "root",
        "··no time",
        "··too late",
        f"unknown parent {id_of('nobody')}",
        "··orphan",
        "round",
        "··and round",
    )
    late = waterfall.row("too late")
    expect(late.locator(".sign.warn")).to_have_attribute(
        "title", "it ends 30000000 ns after its parent"
    )
    expect(waterfall.row("c · round").locator(".sign.warn")).to_be_visible()
    expect(waterfall.page.locator(".bar.unknown")).to_have_count(1)
    expect(waterfall.page.locator(".notices")).to_contain_text("1 parent has not arrived")
    waterfall.row("Unknown parent").click()
    expect(waterfall.drawer).to_contain_text("no such span has arrived")


def test_spans_that_arrive_later_wait_until_they_are_wanted(waterfall: Waterfall) -> None:
    sent = checkout(waterfall.service, "late", begin=time.time_ns() - 2_000_000_000)
    waterfall.open(sent.send())
    waterfall.row("HGETALL cart").click()
    sent.span("ship", "root", "shipping", "POST /ship", 700, 90, kind="client")
    sent.span("ship-in", "ship", "shipping", "POST /ship", 705, 80, kind="server")
    sent.line("ship", "shipping", 710, "label printed", "info")
    sent.send()
    news = waterfall.page.locator(".news")
    expect(news).to_contain_text("2 spans and 1 line arrived.", timeout=20_000)
    # Nothing has moved.
    expect(waterfall.rows).to_have_count(16)
    news.get_by_role("button", name="Show").click()
    expect(waterfall.rows).to_have_count(19)
    expect(news).to_be_hidden()
    waterfall.expect_selected("HGETALL cart")
    expect(waterfall.drawer).to_contain_text("HGETALL cart")


def test_clocks_that_differ_are_corrected_when_asked_and_it_is_said_by_how_much(
    waterfall: Waterfall,
) -> None:
    sent = Sender(waterfall.service, "skewed")
    sent.span("k1", None, "shop", "asks", 0, 30, kind="client")
    sent.span("k2", "k1", "stock", "answers", 15, 20, kind="server")
    waterfall.open(sent.send())
    answers = waterfall.row("stock · answers")
    expect(answers.locator(".sign.warn")).to_be_visible()
    expect(waterfall.page.locator(".figures")).to_contain_text("35 ms")
    # 20 of 30 ms leave 10 to spare, half of it before: from 5 instead of 15.
    waterfall.page.get_by_role("button", name="Correct clocks: 1 span by up to 10 ms").click()
    expect(waterfall.page.locator(".figures")).to_contain_text("30 ms")
    assert "moved by −10 ms" in (answers.get_attribute("title") or "")
    answers.click()
    expect(waterfall.drawer).to_contain_text("Shown 10 ms earlier than it was sent")


def test_of_a_trace_too_large_the_first_spans_are_drawn_and_how_many_there_are_is_said(
    waterfall: Waterfall,
) -> None:
    waterfall.open(many_spans(waterfall.service, 10_050, "too large").send())
    figures = waterfall.page.locator(".figures")
    expect(figures).to_contain_text("the first 10,000 of 10,050 spans")
    expect(waterfall.page.locator(".notices")).to_contain_text("more than 10000 spans")


def test_of_ten_thousand_spans_only_those_in_sight_are_drawn(waterfall: Waterfall) -> None:
    waterfall.open(many_spans(waterfall.service, 10_000).send())
    expect(waterfall.page.locator(".figures")).to_contain_text("10,000 spans")
    view = waterfall.page.locator(".view")
    assert view.evaluate("view => view.querySelector('.pad').offsetHeight") == 10_000 * 22
    assert 20 < waterfall.rows.count() < 80
    waterfall.page.keyboard.press("End")
    expect(waterfall.page.locator(".row.selected")).to_be_visible()
    assert waterfall.rows.count() < 80
    waterfall.page.keyboard.press("/")
    waterfall.page.keyboard.type("error")
    # Every 211th of 9,999: 47.
    expect(waterfall.page.locator(".found")).to_have_text("47 found")


def test_a_trace_that_is_not_there_says_what_to_check_and_comes_when_it_arrives(
    waterfall: Waterfall,
) -> None:
    sent = checkout(waterfall.service, "later", begin=time.time_ns())
    waterfall.page.goto(f"{waterfall.address}/?trace={sent.trace_id}&env=staging")
    state = waterfall.page.locator(".state")
    expect(state).to_contain_text("No span and no line of this trace is stored", timeout=30_000)
    expect(state).to_contain_text("Only staging was looked at.")
    state.get_by_role("button", name="Look in every environment").click()
    assert waterfall.asked() == {"kind": "anywhere"}
    waterfall.page.goto(f"{waterfall.address}/?trace={sent.trace_id}")
    expect(state).to_contain_text("32 or 16 hexadecimal digits", timeout=30_000)
    sent.send()
    expect(waterfall.rows).to_have_count(16, timeout=20_000)


def test_a_service_that_fails_is_said_and_asked_again(waterfall: Waterfall) -> None:
    trace_id = checkout(waterfall.service).send()
    waterfall.page.route("**/traces/**", lambda route: route.abort())
    waterfall.page.goto(f"{waterfall.address}/?trace={trace_id}")
    state = waterfall.page.locator(".state")
    expect(state).to_contain_text("The trace cannot be read", timeout=30_000)
    waterfall.page.unroute("**/traces/**")
    state.get_by_role("button", name="Try again").click()
    expect(waterfall.rows).to_have_count(16)


def test_on_a_phone_the_names_are_narrow_and_the_drawer_covers(waterfall: Waterfall) -> None:
    waterfall.page.set_viewport_size({"width": 390, "height": 844})
    waterfall.open(checkout(waterfall.service).send())
    assert waterfall.page.evaluate("document.documentElement.scrollWidth") <= 390
    lane = waterfall.row("GET /stock").locator(".lane").bounding_box()
    assert lane is not None and lane["width"] > 150
    waterfall.row("GET /stock").click()
    drawer = waterfall.drawer.bounding_box()
    assert drawer is not None and (drawer["x"], drawer["width"]) == (0, 390)
