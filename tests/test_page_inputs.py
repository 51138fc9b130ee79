"""Other inputs in a real browser: photographed maps, dreams as style pictures, chains without a picture."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from page_kit import Page, needs_browser, small_map

pytestmark = needs_browser


@pytest.fixture
def open_page(page_browser, page_address):
    contexts = []

    def open_one(query):
        context = page_browser.new_context(viewport={"width": 1000, "height": 700})
        contexts.append(context)
        return Page(context.new_page(), page_address).open(query)

    yield open_one
    for context in contexts:
        context.close()


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


def test_a_dream_becomes_a_style_picture(open_page):
    page = open_page("?chain=pix2pix")
    page.tab.click("[aria-label='Dream a style']")
    page.tab.wait_for_selector(".swatch[aria-label^='Paint like dream']")
    page.wait_until("() => document.getElementById('chain-text').value === 'pix2pix,nst'")
    assert page.tab.locator("[data-port=style] img").count() == 1
    assert page.tab.get_attribute(".swatch[aria-label^='Paint like dream']", "aria-pressed") == "true"


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
