"""The Live page under lines and links made to break it; and under axe."""

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.e2e.live_page import NARROW, WIDE, Dashboard, opened, part

pytestmark = pytest.mark.browser
# Each would leave a mark: a dialog, a global, or an element of this class.
ATTACKS = (
    "<img class=hostile src=x onerror='window.hacked=1;alert(1)'>",
    '"><script class=hostile>window.hacked=1;alert(2)</script>',
    "</style><b class=hostile onmouseover='window.hacked=1'>",
    "[click](javascript:window.hacked=1) :red[hostile] ![x](https://example.invalid/x.png) $x^2$",
    "'-alert(3)-' ${window.hacked=1} {{window.hacked=1}} javascript:alert(4)",
)
ODD = (
    "\u202egnimmargorp \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u2067right\u2069",
    "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪 " * 20,
    "Z" + "\u0335\u0321\u0353\u0300\u0301\u0489" * 60 + "algo",
    "\x1b[31;1mred\x1b[0m \x1b]8;;javascript:alert(5)\x07link\x1b]8;;\x07 \x1b[2J",
    "null \x00 byte, bell \x07, lone \ud800 surrogate",
    "\u2028\u2029\ufeff\u200b",
    "word" * 5000,
    "\n" * 300 + "the end",
)
LONGEST_NAME = "long-" + "n" * 195
MARK = "still readable"


def attack_on_every_field(number: int, word: str) -> dict[str, object]:
    """One line with `word` wherever a sender may write; `attack1` finds the first."""
    return {
        "source": word,
        "message": f"attack{number} {word}",
        "environment": word,
        "severity": "error",
        "severity_text": word,
        "traceId": word,
        "spanId": word,
        "metadata": {word: word, "list": [word, {word: [word]}], "http.route": word},
        word: word,
    }


def nested(depth: int) -> object:
    value: object = ATTACKS[0]
    for level in range(depth):
        value = {f"level {level}": value}
    return value


def hostile_lines() -> list[dict[str, object]]:
    """Everything a sender could do to the page, ending with a line that must be readable."""
    lines: list[dict[str, object]] = [
        attack_on_every_field(number, word) for number, word in enumerate(ATTACKS)
    ]
    lines += [{"source": f"odd-{n}", "message": word} for n, word in enumerate(ODD)]
    lines += [{"source": (word[:200].strip() or "?"), "message": "odd name"} for word in ODD[:4]]
    lines += [{"source": LONGEST_NAME, "environment": LONGEST_NAME, "message": "long names"}]
    lines += [{"source": "nested", "message": "nested", "metadata": {"deep": nested(98)}}]
    lines += [{"source": "wide", "message": "wide", "metadata": {f"k{n}": n for n in range(100)}}]
    lines += [
        {"source": "clock", "message": f"sent in {year}", "createdAt": f"{year}-01-01T00:00:00Z"}
        for year in ("0001", "1969", "2262", "9999")
    ]
    lines += [
        {"source": "many", "message": "one of many", "environment": f"env-{n}"} for n in range(200)
    ]
    return [*lines, {"source": "mark", "message": MARK}]


@pytest.fixture(scope="module")
def attacked(dashboard: Dashboard) -> Dashboard:
    """The dashboard, with every hostile line sent to it."""
    body = "\n".join(json.dumps(line) for line in hostile_lines())
    reply = httpx.post(f"{dashboard.service}/logs/ingest", content=body, timeout=60)
    assert reply.status_code == 201 and reply.json()["rejected"] == [], reply.text
    huge = {"source": "huge", "message": "x" * 10_000_000 + "<img class=hostile src=x>"}
    reply = httpx.post(f"{dashboard.service}/logs/ingest", json=huge, timeout=60)
    assert reply.status_code == 201, reply.text
    dashboard.post(MARK)
    return dashboard


@pytest.fixture
def victim(chromium: Browser) -> Iterator[Page]:
    """A page on which nothing hostile may run: that is asserted when the test is over."""
    context = chromium.new_context(viewport=WIDE)
    page = context.new_page()
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    errors: list[str] = []
    page.on("dialog", note)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda request: (
            errors.append(request.url) if "//example.invalid" in request.url[:30] else None
        ),
    )
    yield page
    assert dialogs == []
    assert errors == []
    assert page.evaluate("window.hacked") is None
    # A locator looks into open shadow trees too.
    assert page.locator(".hostile").count() == 0
    context.close()


def expect_sound(page: Page) -> None:
    """Rows are seen, and nothing makes the page wider than its window."""
    expect(page.get_by_test_id("feed-row").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("document.querySelector('.stMain').scrollWidth <= innerWidth")


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_hostile_lines_are_shown_as_what_they_are(
    attacked: Dashboard, victim: Page, viewport: dict[str, int]
) -> None:
    victim.set_viewport_size({"width": viewport["width"], "height": viewport["height"]})
    opened(victim, attacked.address)
    expect(victim.locator(".row", has_text=MARK).first).to_be_visible()
    expect_sound(victim)
    # Each of them was drawn, and opened with all its attributes; on a phone some must do.
    is_wide = viewport is WIDE
    services = ("nested", "wide", "huge", LONGEST_NAME, *(f"odd-{n}" for n in range(8)))
    for number, word in enumerate(ATTACKS if is_wide else ATTACKS[:1]):
        victim.goto(f"{attacked.address}/?q=attack{number}")
        row = victim.locator(".row", has_text=word).first
        expect(row).to_be_visible(timeout=60_000)
        row.click()
        detail = victim.get_by_test_id("line-detail")
        expect(detail).to_contain_text(word)
        expect_sound(victim)
    for service in services if is_wide else ("wide", LONGEST_NAME, "odd-6"):
        victim.goto(f"{attacked.address}/?{urlencode({'service': service, 'wrap': '1'})}")
        rows = victim.get_by_test_id("feed-row")
        expect(rows.first).to_be_visible(timeout=60_000)
        rows.first.click()
        expect(victim.get_by_test_id("line-detail")).to_be_visible()
        expect_sound(victim)


def test_hostile_links_are_read_or_refused(attacked: Dashboard, victim: Page) -> None:
    opened(victim, attacked.address)
    search = ("q", "service", "env", "severity", "trace")
    names = (*search, "tz", "at", "speed", "range", "from", "to")
    names += ("line", "cols", "rows", "wrap", "newest", "times", "unknown")
    for word in (*ATTACKS, "@" + ATTACKS[0], "\x00%00\ud7ff", "9" * 400, "-1", "NaN"):
        victim.goto(f"{attacked.address}/?{urlencode(dict.fromkeys(names, word))}")
        expect(part(victim, "live-feed").locator(".feed")).to_be_visible(timeout=60_000)
        expect(part(victim, "filter-chips").get_by_role("button").first).to_be_visible()
        assert victim.evaluate("document.querySelector('.stMain').scrollWidth <= innerWidth")
        expect(victim.get_by_text("could not be drawn")).to_have_count(0)
        expect(victim.get_by_text("cannot be drawn")).to_have_count(0)
    cols = ",".join(f"@{ATTACKS[0].replace(',', '')}{n}" for n in range(300))
    victim.goto(f"{attacked.address}/?{urlencode({'cols': cols})}")
    expect(part(victim, "live-feed").locator(".count")).to_contain_text("40 of")
    expect_sound(victim)


def test_lines_far_past_and_future_do_not_stretch_the_trend(
    attacked: Dashboard, victim: Page
) -> None:
    opened(victim, attacked.address)
    expect(part(victim, "trend").locator(".column")).to_have_count(15)
    # Nor do they come first in the feed's time: the last 15 minutes are shown.
    expect(victim.locator(".row", has_text="sent in 9999")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_whole_live_page_passes_axe(attacked: Dashboard, victim: Page, scheme: str) -> None:
    victim.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    opened(victim, f"{attacked.address}/?service=checkout&severity=error,info")
    expect_sound(victim)
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}

    def violations() -> list[str]:
        found = Axe().run(victim, options=options).response
        assert len(found["passes"]) > 10
        return [
            f"{rule['id']}: {node['html'][:160]}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    assert violations() == []
    victim.get_by_test_id("feed-row").first.click()
    expect(victim.get_by_test_id("line-detail")).to_be_visible()
    assert violations() == []
    victim.keyboard.press("Escape")
    victim.keyboard.press("o")
    expect(part(victim, "live-feed").locator(".view-options")).to_be_visible()
    assert violations() == []
    victim.keyboard.press("Escape")
    victim.keyboard.press("?")
    assert violations() == []
