"""How the page looks and speaks: sizes, light and dark, screen readers, keys; pictures of it for the docs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from page_kit import PAGE, Page, axe, needs_browser

pytestmark = needs_browser

DOCS = Path(__file__).parents[1] / "docs"
SIZES = {"desktop": (1440, 900), "tablet": (1024, 768), "upright": (768, 1024)}


@pytest.fixture
def open_page(page_browser, page_address):
    contexts = []

    def open_one(size="desktop", scheme="light", query="?chain=pix2pix", **more):
        width, height = SIZES[size]
        context = page_browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
        contexts.append(context)
        tab = context.new_page()
        tab.route("**/api/run", lambda route: route.fulfill(status=429, json={"error": "busy"}))
        return Page(tab, page_address).open(query)

    yield open_one
    for context in contexts:
        context.close()


@pytest.mark.parametrize("size", SIZES)
def test_everything_is_on_one_screen(open_page, size):
    page = open_page(size)
    width, height = SIZES[size]
    assert page.tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        height,
    ]
    for part in ("#map", "#picture", "#palette", "#style", "#gallery", "#download", "#help", "#redo"):
        box = page.tab.locator(part).bounding_box()
        assert 0 <= box["x"] <= width - box["width"], part
        assert 0 <= box["y"] <= height - box["height"], part
    stages = [page.tab.locator(name).bounding_box() for name in ("#map", "#picture")]
    assert stages[0]["height"] == pytest.approx(stages[1]["height"], abs=1)


def test_a_finger_paints_and_two_zoom(open_page):
    page = open_page("tablet", has_touch=True)
    page.tab.click("#palette button >> nth=3")
    before = page.labels()
    page.tab.touchscreen.tap(*page.place(300, 60))
    after = page.labels()
    assert after[60, 300] == 3
    assert 300 < (after != before).sum() < 600  # a dab of 24 pixels
    fingers = page.tab.context.new_cdp_session(page.tab)
    (x, y), zoom = page.place(256, 192), "async () => (await (await import('/page/app.js')).studio).view.scale"
    scale = page.tab.evaluate(zoom)
    for kind, apart in (("touchStart", 40), ("touchMove", 80), ("touchMove", 120)):
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.tab.evaluate(zoom) > 1.5 * scale
    assert (page.labels() == after).all()


def test_dark_follows_the_system_and_the_switch_overrules_it(open_page):
    page = open_page(scheme="dark")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.tab.evaluate(paper)
    assert sum(map(int, re.findall(r"\d+", dark)[:3])) < 150
    page.tab.click("#theme")
    assert sum(map(int, re.findall(r"\d+", page.tab.evaluate(paper))[:3])) > 600
    page.open("?chain=pix2pix")
    assert page.tab.evaluate(paper) != dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme):
    page = open_page(scheme=scheme)
    assert axe(page.tab) == []
    page.tab.keyboard.press("t")
    page.tab.click(".chip")
    assert axe(page.tab) == []
    page.tab.keyboard.press("Escape")
    page.tab.click("#start")
    assert axe(page.tab) == []
    page.tab.keyboard.press("Escape")
    page.tab.keyboard.press("?")
    assert axe(page.tab) == []
    page.tab.keyboard.press("Escape")
    page.tab.get_by_role("radio", name="Hand").focus()


def test_axe_finds_nothing_where_a_photo_is_wanted(open_page):
    page = open_page("upright", query="?chain=nst")
    assert page.tab.is_visible("#photo-empty")
    assert axe(page.tab) == []


def test_tab_reaches_everything_and_shows_where_it_is(open_page):
    page = open_page()
    reached = set()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    for _ in range(60):
        page.tab.keyboard.press("Tab")
        name = page.tab.evaluate("document.activeElement.id || document.activeElement.parentElement.id")
        if name in reached and name == "start":
            break
        reached.add(name)
        assert name == "" or page.tab.evaluate(outline) != "none", name
    wanted = {"start", "add-step", "seed", "dice", "theme", "help", "tool-list", "shape", "size", "mirror", "new-map"}
    assert reached >= wanted | {
        "open",
        "map",
        "zoom-in",
        "palette",
        "split-toggle",
        "full-size",
        "download",
        "open-nine",
    }


def test_the_docs_list_the_keys_of_the_page(open_page):
    page = open_page()
    page.tab.keyboard.press("?")
    rows = page.tab.eval_on_selector_all(
        "#shortcut-list dl div",
        "rows => rows.map(row => [[...row.querySelectorAll('kbd')].map(key => key.textContent).join(' '),"
        " row.querySelector('dd').textContent])",
    )
    text = (DOCS / "studio.md").read_text(encoding="utf-8")
    assert len(rows) > 30
    assert [row for row in rows if f"| `{row[0]}` | {row[1]} |" not in text] == []


def test_the_page_holds_nothing_from_elsewhere():
    for file in PAGE.iterdir():
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}, file.name


def test_pictures_of_the_page(page_browser, page_address, tmp_path):
    """Show that the page comes to its picture by itself; with STUDIO_SCREENSHOTS, keep what it looks like there."""
    folder = Path(os.environ.get("STUDIO_SCREENSHOTS", tmp_path))
    context = page_browser.new_context(viewport={"width": 1440, "height": 900})
    page = Page(context.new_page(), page_address).open()
    page.wait_for_card(1)
    assert page.tab.get_attribute("#picture", "data-size") == "512x384"
    for name, size in SIZES.items():
        page.tab.set_viewport_size({"width": size[0], "height": size[1]})
        page.tab.screenshot(path=folder / f"{name}.png")
    page.tab.set_viewport_size({"width": 1440, "height": 900})
    page.tab.click("#theme")
    page.tab.screenshot(path=folder / "dark.png")
    assert page.problems == []
    context.close()
