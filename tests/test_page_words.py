"""Ports that take words, in a real browser: a field each, part of the chain, with the preview and every picture."""

from __future__ import annotations

import tomllib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from page_kit import Page, axe, needs_browser, studio

pytestmark = needs_browser

METHODS = Path(__file__).parent / "studio" / "studio_methods.py"
FIELD = "#words textarea"
TOLD = "text => document.getElementById('chain-text').value === text"
NOTE = """() => {
  const { fetch } = window;
  window.sent = [];
  window.fetch = (path, how) => {
    const words = [...(how?.body ?? [])].filter(([, part]) => typeof part === "string");
    if (path === "/api/run") window.sent.push(Object.fromEntries(words));
    return fetch(path, how);
  };
}"""
SHOWN = "text => document.getElementById('status').textContent === text"


@pytest.fixture(scope="module")
def page_address(artkit_home):
    """A studio with methods whose ports take words: each letter is a level of light."""
    with studio("--plugin", str(METHODS)) as address:
        yield address


def photo(level: int = 9) -> bytes:
    """Return a photo large enough to have a preview."""
    stream = BytesIO()
    Image.fromarray(np.full((240, 320, 3), level, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def made(page) -> tuple[bytes, int]:
    """Return the picture that is shown, as a file, and its level."""
    page.tab.click("#download")
    with page.tab.expect_download() as saved:
        page.tab.get_by_role("menuitem", name="Picture").click()
    data = saved.value.path().read_bytes()
    return data, int(np.asarray(Image.open(BytesIO(data)))[0, 0, 0])


def runs(page) -> int:
    """Return how often the page asked for a picture."""
    return sum(url.endswith("/api/run") for url in page.requests)


def paint(page) -> Page:
    """Make a picture of the photo that is told of a lake."""
    page.drop(photo(), "cat.png")
    page.tab.fill(FIELD, "a lake")
    page.wait_for_card(1)
    return page


def test_a_field_is_named_by_its_port_and_its_words_go_with_preview_and_picture(open_page):
    page = open_page("?chain=say")
    field = page.tab.get_by_label("words what is said of it")
    assert field.is_visible()
    page.drop(photo(), "cat.png")
    page.wait_until(SHOWN, "The chain wants words for words: type them below")
    assert runs(page) == 0
    page.tab.evaluate(NOTE)
    field.press_sequentially("a lake")
    page.wait_for_card(1)
    sent = page.tab.evaluate("window.sent")
    assert [form["chain"] for form in sent] == ["say(words='a lake')"] * 2
    assert [form.get("longest") for form in sent] == ["256", None]
    assert page.text() == "say(words='a lake')"
    assert made(page)[1] == 6
    assert page.problems == []


def test_enter_sends_at_once_and_shift_enter_begins_a_line(open_page):
    page = paint(open_page("?chain=whisper"))
    field = page.tab.locator(FIELD)
    field.press("End")
    field.press("Shift+Enter")
    field.press_sequentially("and a/hill.")
    field.press("Enter")
    page.wait_until(TOLD, r"whisper(words='a lake\nand a/hill.')")
    field.press_sequentially(" at ")
    page.wait_until(TOLD, r"whisper(words='a lake\nand a/hill. at')")
    field.press_sequentially("dusk")  # behind the blank, which is not told and yet is kept
    page.wait_until(TOLD, r"whisper(words='a lake\nand a/hill. at dusk')")
    field.fill("  ")
    page.wait_until(TOLD, "whisper")


def test_cards_reloads_addresses_and_recipes_remember_words(open_page):
    page = paint(open_page("?chain=say"))
    page.tab.fill(FIELD, "sea")
    page.wait_for_card(2)
    page.tab.click(".card .open >> nth=1")
    page.wait_until(SHOWN, "Picture 1")
    assert page.tab.input_value(FIELD) == "a lake"
    page.tab.click("#download")
    with page.tab.expect_download() as saved:
        page.tab.get_by_role("menuitem", name="Recipe").click()
    assert tomllib.loads(saved.value.path().read_text())["chain"] == "say(words='a lake')"
    kept = "async text => (await (await import('/page/storage.js')).get('drafts', 'last'))?.chain === text"
    page.tab.fill(FIELD, "a pond")
    page.wait_until(kept, "say(words='a pond')")
    page.open("")
    assert page.tab.input_value(FIELD) == "a pond"
    page.open("?chain=say(words='an%20inlet')")
    assert page.tab.input_value(FIELD) == "an inlet"
    assert page.problems == []


def test_a_picture_brings_its_words_to_another_browser(open_page):
    picture, _ = made(paint(open_page("?chain=say")))
    other = open_page("?chain=posterise")
    assert not other.tab.is_visible("#words")
    other.drop(picture, "art.png")
    other.tab.wait_for_selector("#toast:has-text('cat.png')")
    assert other.tab.input_value(FIELD) == "a lake"


def test_too_many_words_are_refused_in_a_line_and_change_nothing(open_page):
    page = paint(open_page("?chain=say"))
    line = "The port 'words' of say takes 4000 characters at most; 5000 are given."
    before = runs(page)
    page.tab.fill(FIELD, "a" * 5000)
    page.tab.wait_for_selector(f"{FIELD}[aria-invalid=true]")
    assert page.tab.inner_text("#words [role=alert]") == line
    assert page.tab.inner_text("#toast") == line
    assert (page.text(), len(page.tab.input_value(FIELD))) == ("say(words='a lake')", 5000)
    page.tab.wait_for_timeout(300)  # longer than the page waits before it makes a picture
    assert runs(page) == before
    page.tab.fill(FIELD, "b" * 4000)
    page.wait_for_card(2)
    assert page.tab.get_attribute(FIELD, "aria-invalid") == "false"
    assert page.tab.inner_text("#words [role=alert]") == ""
    picture, level = made(page)
    assert level == 255
    page.drop(picture, "art.png")
    page.wait_until(SHOWN, "art")
    assert page.tab.input_value(FIELD) == "b" * 4000
    assert len([one for one in page.problems if "422" not in one]) == 0


def test_every_step_has_its_own_words(open_page):
    page = open_page("?chain=say(words=lake),blur,whisper")
    labels = page.tab.locator("#words label").all_inner_texts()
    assert [" ".join(label.split()) for label in labels] == [
        "say: words what is said of it",
        "whisper: words what is said of it",
    ]
    page.tab.fill(f"{FIELD} >> nth=1", "sea")
    page.wait_until(TOLD, "say(words=lake),blur,whisper(words=sea)")
    assert page.tab.input_value(f"{FIELD} >> nth=0") == "lake"
    page.tab.press(".chip >> nth=0", "Delete")
    page.wait_until(TOLD, "blur,whisper(words=sea)")
    assert page.tab.locator("#words label").all_inner_texts()[0].split()[0] == "words"
    assert page.tab.input_value(FIELD) == "sea"


def test_a_chain_of_words_alone_asks_for_no_photo(open_page):
    page = open_page("?chain=recite,resize(longest=64)")
    assert page.tab.get_attribute("main", "data-mode") == "dream"
    page.wait_until(SHOWN, "The chain wants words for words: type them below")
    page.tab.fill(FIELD, "a lake")
    page.wait_for_card(1)
    assert made(page)[1] == 6
    assert page.problems == []


@pytest.mark.parametrize("size", [(1440, 900), (1024, 768), (768, 1024)])
def test_long_words_stay_on_one_screen(open_page, size):
    page = open_page("?chain=pix2pix,say,whisper")
    page.tab.set_viewport_size({"width": size[0], "height": size[1]})
    for field, words in zip(page.tab.locator(FIELD).all(), ("a lake\n" * 30, "a" * 3000), strict=True):
        field.fill(words)
    extent = page.tab.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert tuple(extent) == size
    stage, panel = (page.tab.locator(name).bounding_box() for name in ("#picture", "#right"))
    assert stage["height"] > 0.2 * size[1]
    assert panel["y"] + panel["height"] <= size[1]
    assert axe(page.tab) == []
