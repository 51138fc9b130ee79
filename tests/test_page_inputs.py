"""Other inputs in a real browser: photographed maps, ports, dreams as style pictures, chains without a picture."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from page_kit import needs_browser, small_map

pytestmark = needs_browser

EXAMPLES = Path(__file__).parents[1] / "examples"
COLOURS = """async () => (await (await import("/page/app.js")).studio).sheet.colours"""
ANOTHER_MAP = """async ([height, width]) => {
  const { map } = (await (await import("/page/app.js")).studio).sheet;
  return map.height !== height || map.width !== width;
}"""


def photo(seed: int, size: tuple[int, int] = (48, 32)) -> bytes:
    """Return a photo of its own."""
    stream = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def test_a_photographed_map_is_read_by_semgan(open_page):
    page = open_page("?chain=pix2pix")
    picture = small_map(192, 256)
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=60)  # as a camera's file: no colour is exact any more
    page.drop(stream.getvalue(), "sheet.jpg", kind="image/jpeg")
    page.tab.get_by_role("button", name="Read it as a map").click()
    page.wait_for_labels((192, 256))
    want = np.zeros((192, 256), np.uint8)
    for label, colour in {6: (140, 190, 80), 7: (50, 95, 160), 10: (180, 80, 60)}.items():
        want[(np.asarray(picture) == colour).all(-1)] = label
    assert (page.labels() == want).mean() > 0.98


def test_a_photo_of_a_map_is_set_straight_first(open_page):
    page = open_page("?chain=pix2pix")
    page.drop((EXAMPLES / "semantic_photo.jpg").read_bytes(), "photo.jpg", kind="image/jpeg")
    before = page.labels()
    page.tab.get_by_role("button", name="Read it as a photo of a map").click()
    page.wait_until(ANOTHER_MAP, list(before.shape))
    read = page.labels()
    drawn = np.asarray(Image.open(EXAMPLES / "semantic.png").convert("RGB"))
    shown = np.asarray(Image.fromarray(read).resize(drawn.shape[1::-1], Image.Resampling.NEAREST))
    assert (np.array(page.tab.evaluate(COLOURS), np.uint8)[shown] == drawn).all(-1).mean() > 0.95


def test_a_dream_becomes_a_style_picture(open_page):
    page = open_page("?chain=pix2pix")
    page.tab.click("[aria-label='Dream a style']")
    page.tab.wait_for_selector(".swatch[aria-label^='Paint like dream']")
    page.wait_until("() => document.getElementById('chain-text').value === 'pix2pix,nst'")
    assert page.tab.locator("[data-port=style] img").count() == 1
    assert page.tab.get_attribute(".swatch[aria-label^='Paint like dream']", "aria-pressed") == "true"


def test_a_port_beyond_the_first_is_fed_from_its_menu(open_page):
    page = open_page("?chain=blend")
    page.drop(photo(1), "one.png")
    page.wait_for_card(1)  # without another picture it blends with the chain's input
    page.drop(photo(2), "two.png", "[data-port=other]")
    page.wait_for_card(2)
    page.tab.click("[aria-label='More pictures that this chain takes']")
    with page.tab.expect_file_chooser() as chooser:
        page.tab.get_by_role("menuitem", name="mask").click()
    chooser.value.set_files({"name": "mask.png", "mimeType": "image/png", "buffer": photo(3)})
    page.wait_for_card(3)
    ports = """async () => {
      const { gallery } = await (await import("/page/app.js")).studio;
      return Object.entries(gallery.cards[0].ports).map(([port, file]) => `${port}=${file.name}`);
    }"""
    assert page.tab.evaluate(ports) == ["other=two.png", "mask=mask.png"]
    assert page.problems == []


def test_a_chain_without_a_picture_dreams_and_throws_dice(open_page):
    page = open_page("?chain=can,resize(longest=64)")
    page.wait_for_card(1)
    assert page.tab.get_attribute("main", "data-mode") == "dream"
    assert not page.tab.is_visible("#palette")
    first = page.tab.input_value("#seed")
    page.tab.click("#dice")
    page.wait_for_card(2)
    assert page.tab.input_value("#seed") != first
    page.tab.click(".card .open >> nth=1")
    page.wait_until("() => document.getElementById('status').textContent === 'Picture 1'")
    assert page.tab.input_value("#seed") == first
    assert page.problems == []


def test_a_sentence_is_painted_and_unknown_words_are_named(open_page):
    page = open_page("?chain=stackgan(stage=0),pix2pix,resize(longest=64)")
    page.wait_for_card(1)  # any landscape
    assert page.tab.get_attribute("main", "data-mode") == "dream"
    page.tab.fill("#sentence-text", "a lake at dusk with unicorns")
    page.wait_for_card(2)
    assert "unicorns" in page.tab.text_content("#sentence-unknown")
    assert "text='a lake at dusk with unicorns'" in page.text()
    page.tab.fill("#sentence-text", "a lake at noon")
    page.tab.press("#sentence-text", "Enter")
    page.wait_for_card(3)
    assert page.tab.text_content("#sentence-unknown") == ""
    page.tab.click(".card .open >> nth=1")
    page.wait_until("() => document.getElementById('status').textContent === 'Picture 2'")
    assert page.tab.input_value("#sentence-text") == "a lake at dusk with unicorns"
    assert page.problems == []


def test_a_sentence_is_one_of_the_chains_to_start_from(open_page):
    page = open_page("?chain=pix2pix")
    page.tab.click("#start")
    page.tab.get_by_role("menuitem", name="A sentence").click()
    page.wait_until("() => document.querySelector('main').dataset.mode === 'dream'")
    assert page.text().startswith("stackgan(")
    assert page.tab.is_visible("#sentence-text")
    assert page.tab.evaluate("document.activeElement.id") != "map"


def test_words_of_light_and_style_become_the_options_that_tell_them(open_page):
    page = open_page("?chain=spade")
    page.give("#open", small_map())
    page.wait_for_card(1)
    time = page.tab.get_by_role("radiogroup", name="time")
    both = """() => {  // at once, before the server has answered to the first
      for (const word of document.querySelectorAll("#style [role=radio]"))
        if (["dusk", "swirl"].includes(word.textContent)) word.click();
    }"""
    page.tab.evaluate(both)
    page.wait_until("() => document.getElementById('chain-text').value === 'spade(light=dusk,style=swirl)'")
    assert time.get_by_role("radio", name="dusk").get_attribute("aria-checked") == "true"
    page.wait_for_card(2)
    assert page.problems == []
