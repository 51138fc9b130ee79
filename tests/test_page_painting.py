"""Painting in a real browser: every tool, pixel by pixel, against its definition written anew."""

from __future__ import annotations

import numpy as np
import pytest

from page_kit import Page, needs_browser, small_map

pytestmark = needs_browser

HEIGHT, WIDTH = 96, 128
Y, X = np.mgrid[:HEIGHT, :WIDTH].astype(float)


@pytest.fixture(scope="module")
def page(page_browser, page_address):
    """A page whose studio makes no picture: the canvas never waits for one."""
    context = page_browser.new_context(viewport={"width": 1000, "height": 640})
    tab = context.new_page()
    tab.route("**/api/run", lambda route: route.fulfill(status=429, json={"error": "busy"}))
    page = Page(tab, page_address).open("?chain=pix2pix")
    yield page
    context.close()


@pytest.fixture
def canvas(page):
    """The page with a small map on it, as it was given."""
    page.tab.keyboard.press("Escape")
    page.tool("brush")
    page.give("#open", small_map(HEIGHT, WIDTH))
    page.wait_for_labels((HEIGHT, WIDTH))
    page.paint_class("tree")
    page.brush(9)
    return page


def near(a, b, size):
    """Pixels within half a size of the way from a to b."""
    (ax, ay), (bx, by) = a, b
    length = (bx - ax) ** 2 + (by - ay) ** 2
    t = np.clip(((X - ax) * (bx - ax) + (Y - ay) * (by - ay)) / max(length, 1), 0, 1)
    return np.hypot(X - ax - t * (bx - ax), Y - ay - t * (by - ay)) <= size / 2 + 1e-9


def near_square(a, b, size):
    """Pixels that a square reaches somewhere on the way from a to b, found by going the way in small steps."""
    (ax, ay), (bx, by) = a, b
    steps = 16 * max(abs(bx - ax), abs(by - ay), 1)
    reached = np.zeros((HEIGHT, WIDTH), bool)
    for t in np.linspace(0, 1, steps + 1):
        x, y = ax + t * (bx - ax), ay + t * (by - ay)
        reached |= np.maximum(abs(X - x), abs(Y - y)) <= size / 2 + 1e-9
    return reached


def flood(labels, x, y):
    """The patch of one label around a pixel, grown step by step."""
    same = labels == labels[y, x]
    patch = np.zeros_like(same)
    patch[y, x] = True
    while True:
        grown = patch.copy()
        grown[1:] |= patch[:-1]
        grown[:-1] |= patch[1:]
        grown[:, 1:] |= patch[:, :-1]
        grown[:, :-1] |= patch[:, 1:]
        grown &= same
        if (grown == patch).all():
            return patch
        patch = grown


def painted(before, mask, label=5):
    return np.where(mask, np.uint8(label), before)


def test_brush_round_and_square(canvas):
    before = canvas.labels()
    canvas.brush(8)
    canvas.drag((20, 20), (60, 20), (60, 70))
    want = painted(before, near((20, 20), (60, 20), 8) | near((60, 20), (60, 70), 8))
    assert (canvas.labels() == want).all()
    canvas.tab.keyboard.press("q")
    canvas.brush(6)
    canvas.drag((90, 10), (100, 40))
    canvas.tab.keyboard.press("q")
    assert (canvas.labels() == painted(want, near_square((90, 10), (100, 40), 6))).all()


def test_a_brush_of_one_pixel_leaves_no_gap_and_nothing_between_two_classes(canvas):
    canvas.brush(1)
    canvas.drag((5, 5), (100, 38))
    after = canvas.labels()
    assert set(np.unique(after)) == {0, 5, 6, 7, 10}
    columns = (after == 5).any(0)
    assert columns[5:101].all()
    assert columns.sum() == 96


def test_line_rectangle_and_ellipse(canvas):
    want = canvas.labels()
    canvas.tool("line")
    canvas.drag((10, 80), (30, 70), (110, 60))
    want = painted(want, near((10, 80), (110, 60), 9))
    canvas.tool("rectangle")
    canvas.drag((70, 40), (50, 20))
    want = painted(want, (X >= 50) & (X <= 70) & (Y >= 20) & (Y <= 40))
    canvas.tool("ellipse")
    canvas.drag((80, 5), (120, 24))
    want = painted(want, ((X - 100) / 20.5) ** 2 + ((Y - 14.5) / 10) ** 2 <= 1)
    assert (canvas.labels() == want).all()


def test_polygon_closes_by_double_click_and_is_forgotten_by_escape(canvas):
    before = canvas.labels()
    canvas.tool("polygon")
    canvas.click(20, 10)
    canvas.click(60, 20)
    canvas.tab.mouse.dblclick(*canvas.place(30, 50))
    corners = [(20, 10), (60, 20), (30, 50)]
    after = canvas.labels()
    mask = after != before
    inside = np.ones_like(mask)
    edge = np.zeros_like(mask)
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        distance = ((bx - ax) * (Y - ay) - (by - ay) * (X - ax)) / np.hypot(bx - ax, by - ay)
        inside &= distance > 0
        edge |= abs(distance) <= 1
    assert (after[mask] == 5).all()
    assert mask[inside & ~edge].all()  # pixels whose middle lies on an edge may fall to either side
    assert not mask[~inside & ~edge].any()
    canvas.tab.keyboard.press("p")
    canvas.click(70, 60)
    canvas.click(100, 90)
    canvas.tab.focus("#map")
    canvas.tab.keyboard.press("Escape")
    assert (canvas.labels() == after).all()


def test_bucket_pours_over_one_patch(canvas):
    before = canvas.labels()
    canvas.brush(1)
    canvas.tool("line")
    canvas.drag((0, 40), (40, 0))  # pixels that touch at their corners alone: a wall
    walled = canvas.labels()
    assert (walled != before).sum() < 82
    canvas.tool("bucket")
    canvas.click(30, 70)  # the pond
    want = painted(walled, flood(walled, 30, 70))
    canvas.paint_class("sand")
    canvas.click(2, 2)
    want = painted(want, flood(want, 2, 2), 8)
    assert (canvas.labels() == want).all()


def test_eraser_brings_back_what_was_there_before(canvas):
    before = canvas.labels()
    canvas.tool("rectangle")
    canvas.drag((10, 10), (100, 80))
    filled = canvas.labels()
    canvas.tool("eraser")
    canvas.drag((30, 30), (80, 60))
    want = np.where(near((30, 30), (80, 60), 9), before, filled)
    assert (canvas.labels() == want).all()
    assert (want != filled).any()


def test_eyedropper_picks_a_class_and_gives_the_brush_back(canvas):
    canvas.tool("eyedropper")
    canvas.click(30, 70)
    checked = canvas.tab.locator("#palette [aria-checked=true]")
    assert checked.inner_text() == "water"
    assert canvas.tab.locator("[data-tool=brush]").get_attribute("aria-checked") == "true"
    canvas.tab.keyboard.press("4")
    assert checked.inner_text() == "mountain"


def test_mirror_paints_both_sides(canvas):
    before = canvas.labels()
    canvas.tab.keyboard.press("m")
    canvas.drag((20, 20), (40, 30))
    canvas.tab.keyboard.press("m")
    mask = near((20, 20), (40, 30), 9)
    assert (canvas.labels() == painted(before, mask | mask[:, ::-1])).all()


def test_undo_and_redo_a_hundred_steps(canvas):
    canvas.brush(3)
    states = [canvas.labels()]
    for dabs in (1, 1, 99):
        canvas.tab.evaluate(DABS, dabs)
        states.append(canvas.labels())
    assert len({state.tobytes() for state in states}) == 4
    canvas.tab.evaluate(PRESS, [{"key": "z", "ctrlKey": True}, 120])
    assert (canvas.labels() == states[1]).all()  # what lies a hundred and one steps back is forgotten
    canvas.tab.click("#redo")
    assert (canvas.labels() == states[2]).all()
    canvas.tab.evaluate(PRESS, [{"key": "z", "ctrlKey": True, "shiftKey": True}, 120])
    assert (canvas.labels() == states[3]).all()
    assert canvas.tab.is_disabled("#redo")
    canvas.tab.keyboard.press("Control+z")
    assert (canvas.labels() != states[3]).any()


PRESS = """([key, times]) => {
  for (let i = 0; i < times; i++) document.body.dispatchEvent(new KeyboardEvent("keydown", { ...key, bubbles: true }));
}"""
DABS = """dabs => {
  const map = document.getElementById("map");
  const press = key => map.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  for (let i = 0; i < dabs; i++) {
    press(["5", "6", "7"][i % 3]);
    press("ArrowRight");
    press("ArrowDown");
    press(" ");
  }
}"""


def test_keys_alone_paint(canvas):
    before = canvas.labels()
    canvas.tab.keyboard.press("c")
    canvas.tab.keyboard.press("r")
    canvas.tab.keyboard.press("ArrowUp")
    canvas.tab.keyboard.press("Space")
    for key in ("Shift+ArrowRight", "ArrowDown", "ArrowDown", "Space"):
        canvas.tab.keyboard.press(key)
    mask = (X >= 64) & (X <= 80) & (Y >= 47) & (Y <= 49)
    assert (canvas.labels() == painted(before, mask)).all()
    assert canvas.tab.inner_text("#cursor") == "tree, 80, 49"


def test_zoom_and_pan_leave_the_labels_where_they_are(canvas):
    before = canvas.labels()
    for key in ("+", "+", "+"):
        canvas.tab.keyboard.press(key)
    canvas.tab.keyboard.press("h")
    canvas.drag((60, 40), (50, 45))
    assert (canvas.labels() == before).all()
    canvas.tab.keyboard.press("b")
    canvas.drag((50, 40), (60, 42))
    assert (canvas.labels() == painted(before, near((50, 40), (60, 42), 9))).all()
    canvas.tab.keyboard.press("f")


def test_nothing_went_wrong(page):
    assert [line for line in page.problems if "429" not in line] == []
