"""Pictures in a real browser: they follow the hand, stop, come back from cards and files; tabs do not mix."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from artkit.images import read_provenance
from page_kit import Page, needs_browser, small_map

pytestmark = needs_browser


@pytest.fixture
def open_page(page_browser, page_address):
    """Open pages, each with its own storage unless told to share one."""
    contexts = []

    def open_one(query="?chain=posterise", context=None):
        if context is None:
            context = page_browser.new_context(viewport={"width": 1000, "height": 700})
            contexts.append(context)
        return Page(context.new_page(), page_address).open(query)

    yield open_one
    for context in contexts:
        context.close()


def with_map(page):
    """Put a small map on the canvas and wait for its picture."""
    page.give("#open", small_map())
    page.wait_for_labels((48, 64))
    page.tab.wait_for_selector("#picture[data-size='64x48']")


def test_the_picture_follows_the_hand_and_nothing_leaves_the_host(open_page):
    page = open_page("?chain=pix2pix")
    with_map(page)
    page.wait_for_card(1)
    before = page.tab.locator("#picture").screenshot()
    cards = page.tab.locator(".card").count()
    page.tab.click("#palette button >> nth=11")
    page.drag((5, 5), (60, 10))
    page.wait_for_card(cards + 1)
    assert page.tab.locator("#picture").screenshot() != before
    assert page.tab.inner_text("#status").startswith("Full size in")
    hosts = {url.split("/")[2] for url in page.requests if not url.startswith(("blob:", "data:"))}
    assert hosts == {page.address.split("/")[2]}
    assert page.problems == []


def test_download_and_restore(open_page, tmp_path):
    page = open_page("?chain=pix2pix,posterise(levels=3)")
    with_map(page)
    page.wait_for_card(1)
    page.tab.fill("#seed", "42")
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_selector(".card .open[aria-label*='seed 42']")
    want = page.labels()
    files = {}
    for name in ("Picture", "Label map", "Recipe"):
        page.tab.click("#download")
        with page.tab.expect_download() as saved:
            page.tab.get_by_role("menuitem", name=name).click()
        files[name] = saved.value.path().read_bytes()
    (tmp_path / "art.png").write_bytes(files["Picture"])
    record = read_provenance(tmp_path / "art.png")
    assert (record["chain"], record["seed"]) == ("pix2pix,posterise(levels=3)", 42)
    labels = Image.open(BytesIO(files["Label map"]))
    assert labels.mode == "P"
    assert (np.asarray(labels) == want).all()
    assert 'chain = "pix2pix,posterise(levels=3)"' in files["Recipe"].decode()

    other = open_page("?chain=posterise")
    other.drop(files["Picture"], "art.png")
    other.wait_for_labels((48, 64))
    assert (other.labels() == want).all()
    assert other.text() == "pix2pix,posterise(levels=3)"
    assert other.tab.input_value("#seed") == "42"


def test_a_card_brings_everything_back_and_two_can_be_compared(open_page):
    page = open_page("?chain=pix2pix")
    with_map(page)
    page.wait_for_card(1)
    want = page.labels()
    page.tab.click("#palette button >> nth=8")
    page.tool("bucket")
    page.click(2, 2)
    page.wait_for_card(2)
    page.tab.hover(".card >> nth=1")
    page.tab.click(".card .more >> nth=1")
    page.tab.get_by_role("menuitem", name="Compare").click()
    page.wait_until("() => document.getElementById('split-names').innerText.includes('Picture 1')")
    page.tab.keyboard.press("End")
    page.tab.click(".card .open >> nth=1")
    page.wait_until(
        "async want => (await (await import('/page/app.js')).studio).sheet.map.data[0] === want", int(want[0, 0])
    )
    assert (page.labels() == want).all()


def test_a_long_step_shows_how_far_it_is_and_its_sketch_and_stop_keeps_what_there_is(open_page):
    page = open_page("?chain=nst(style=glass,quality=best)")
    page.tab.get_by_role("button", name="cat").click()
    page.tab.wait_for_selector("#picture[data-size]")  # a sketch is shown while it paints
    share = float(page.tab.eval_on_selector("#progress:not([hidden])", "bar => bar.value"))
    assert 0 < share < 1
    page.wait_until("share => document.getElementById('progress').value > share", share)
    assert re.fullmatch(r"(Preview|Full size): nst \d+ %", page.tab.inner_text("#status"))
    page.tab.click("#cancel")
    page.tab.wait_for_selector("#status[data-busy=false]")
    assert page.tab.inner_text("#status").startswith("Stopped")
    assert page.tab.get_attribute("#picture", "data-size")
    assert page.problems == []


def test_two_tabs_do_not_mix(open_page):
    one = open_page("?chain=pix2pix")
    two = open_page("?chain=pix2pix", one.tab.context)
    with_map(one)
    two.give("#open", small_map(64, 48))
    two.wait_for_labels((64, 48))
    two.tab.wait_for_selector("#picture[data-size='48x64']")
    one.tab.wait_for_selector("#picture[data-size='64x48']")
    assert one.labels().shape == (48, 64)
    assert one.problems == two.problems == []


def test_a_contact_sheet_of_nine(open_page):
    page = open_page("?chain=pix2pix")
    with_map(page)
    page.wait_for_card(1)
    page.tab.keyboard.press("k")
    page.tab.wait_for_selector(".slot img")
    assert page.tab.locator(".slot").count() == 9
    words = page.tab.locator("#nine-grid figcaption").first.inner_text().replace(",", "")
    page.tab.click(".slot >> nth=0")
    page.wait_until("text => document.getElementById('chain-text').value === text", f"pix2pix(condition='{words}')")


def test_a_studio_that_went_away_is_said_and_loses_nothing(open_page):
    page = open_page("?chain=pix2pix")
    page.tab.context.set_offline(True)
    page.tab.click("#palette button >> nth=3")
    page.drag((50, 50), (200, 90))
    page.tab.wait_for_selector("#status.error")
    assert "does not answer" in page.tab.inner_text("#status")
    assert (page.labels() == 3).any()
    page.tab.context.set_offline(False)
    page.give("#open", small_map())
    page.tab.wait_for_selector("#picture[data-size='64x48']")
