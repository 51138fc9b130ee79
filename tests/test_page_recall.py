"""What a picture was made of, in a real browser: photos and style pictures come back, or are asked for by name."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from page_kit import needs_browser

pytestmark = needs_browser

ON_DESK = """async () => {
  const { photo, mode } = await (await import("/page/app.js")).studio;
  return [mode, photo && photo.name, photo && photo.size];
}"""


def png(seed: int, size: tuple[int, int] = (40, 30)) -> bytes:
    """Return a photo of its own."""
    stream = BytesIO()
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(noise).save(stream, "PNG")
    return stream.getvalue()


PHOTO, STYLE = png(1), png(2, (24, 24))


def runs(page) -> int:
    """Return how often the page asked for a picture."""
    return sum(url.endswith("/api/run") for url in page.requests)


def made(page) -> bytes:
    """Return the picture that is shown, as a file."""
    page.tab.click("#download")
    with page.tab.expect_download() as saved:
        page.tab.get_by_role("menuitem", name="Picture").click()
    return saved.value.path().read_bytes()


def paint(page, query="?chain=posterise(levels=2)", style=False):
    """Make a picture of the photo, and of the style picture if it is wanted."""
    page.drop(PHOTO, "cat.png")
    if style:
        page.drop(STYLE, "monet.png", "[data-port=reference]")
    page.wait_for_card(1)
    return page


def wait_for_status(page, text):
    page.wait_until("text => document.getElementById('status').textContent === text", text)


def test_a_card_brings_its_photo_back_and_is_not_made_anew(open_page):
    page = paint(open_page("?chain=posterise(levels=2)"))
    page.drop(png(3, (20, 50)), "dog.png")
    page.wait_for_card(2)
    page.open("?chain=pix2pix")
    assert page.tab.evaluate(ON_DESK)[0] == "map"
    page.wait_for_card(3)
    before = runs(page)
    page.tab.click(".card .open >> nth=2")
    wait_for_status(page, "Picture 1")
    assert page.tab.evaluate(ON_DESK) == ["photo", "cat.png", len(PHOTO)]
    assert page.text() == "posterise(levels=2)"
    assert page.tab.get_attribute("#picture", "data-size") == "40x30"
    page.tab.wait_for_timeout(300)  # longer than the page waits before it makes a picture
    assert runs(page) == before
    assert page.tab.locator(".card").count() == 3
    page.tab.click("#dice")
    page.wait_for_card(4)


def test_a_picture_from_elsewhere_says_which_photo_it_wants(open_page):
    page = paint(open_page("?chain=posterise(levels=2)"))
    page.tab.fill("#seed", "42")
    page.tab.keyboard.press("Enter")
    page.wait_for_card(2)
    picture = made(page)
    other = open_page("?chain=pix2pix")
    other.drop(picture, "art.png")
    other.tab.wait_for_selector("#toast:has-text('cat.png')")
    assert other.tab.inner_text("#photo-wanted") == "Drop cat.png here"
    assert other.tab.evaluate(ON_DESK) == ["photo", None, None]
    assert (other.text(), other.tab.input_value("#seed")) == ("posterise(levels=2)", "42")
    assert other.tab.get_attribute("#picture", "data-size") == "40x30"
    assert made(other) == picture
    before = runs(other)
    other.drop(PHOTO, "renamed.png")
    other.tab.wait_for_selector("#photo-empty", state="hidden")
    assert other.tab.evaluate(ON_DESK) == ["photo", "renamed.png", len(PHOTO)]
    other.tab.wait_for_timeout(300)
    assert runs(other) == before
    other.tab.click("#dice")
    other.wait_for_card(1)
    assert other.problems == []


def test_another_photo_than_the_wanted_one_is_taken_and_painted(open_page):
    picture = made(paint(open_page("?chain=posterise(levels=2)")))
    other = open_page("?chain=posterise")
    other.drop(picture, "art.png")
    other.tab.wait_for_selector("#toast:has-text('cat.png')")
    other.drop(png(3, (20, 50)), "dog.png")
    other.tab.wait_for_selector("#picture[data-size='20x50']")
    assert other.tab.evaluate(ON_DESK)[1] == "dog.png"


def test_a_browser_that_has_the_photo_and_the_style_finds_both(open_page):
    page = paint(open_page("?chain=match"), style=True)
    picture = made(page)
    page.open("?chain=pix2pix")
    page.drop(picture, "art.png")
    wait_for_status(page, "art")
    assert page.tab.evaluate(ON_DESK) == ["photo", "cat.png", len(PHOTO)]
    assert page.tab.locator("[data-port=reference] img").count() == 1
    page.tab.click("#dice")
    page.wait_for_card(2)


def test_a_picture_from_elsewhere_asks_for_its_style_too(open_page):
    picture = made(paint(open_page("?chain=match"), style=True))
    other = open_page("?chain=posterise")
    other.drop(picture, "art.png")
    other.tab.wait_for_selector("#toast:has-text('cat.png and monet.png')")
    other.drop(PHOTO, "cat.png")
    other.tab.wait_for_selector("#photo-empty", state="hidden")
    assert "Drop monet.png here" in other.tab.inner_text("[data-port=reference]")
    before = runs(other)
    other.tab.click("#dice")
    wait_for_status(other, "The chain wants monet.png for reference: drop it in Style")
    assert runs(other) == before
    other.drop(STYLE, "monet.png")
    other.tab.wait_for_selector("#toast:has-text('All is as it was made')")
    assert other.tab.locator("[data-port=reference] img").count() == 1


def test_a_reload_keeps_the_photo_and_the_style(open_page):
    page = paint(open_page("?chain=match"), style=True)
    kept = """async () => {
      const draft = await (await import("/page/storage.js")).get("drafts", "last");
      return Boolean(draft?.photo && draft.ports.reference);
    }"""
    page.wait_until(kept)
    page.open("")
    assert page.tab.evaluate(ON_DESK) == ["photo", "cat.png", len(PHOTO)]
    assert page.tab.locator("[data-port=reference] img").count() == 1
