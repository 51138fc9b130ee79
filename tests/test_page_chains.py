"""The chain in a real browser: chips, forms and text are one thing; words, photos and files reach the chain."""

from __future__ import annotations

import pytest

from page_kit import Page, needs_browser, small_map

pytestmark = needs_browser


@pytest.fixture
def page(page_browser, page_address):
    """A page whose studio makes no picture."""
    context = page_browser.new_context(viewport={"width": 1200, "height": 800})
    tab = context.new_page()
    tab.route("**/api/run", lambda route: route.fulfill(status=429, json={"error": "busy"}))
    yield Page(tab, page_address).open("?chain=pix2pix,touchup")
    context.close()


def wait_for_text(page, text):
    page.wait_until("text => document.getElementById('chain-text').value === text", text)


def test_text_becomes_chips_and_forms(page):
    assert page.tab.locator(".chip b").all_inner_texts() == ["pix2pix", "touchup"]
    page.tab.keyboard.press("t")
    page.tab.fill("#chain-text", "pix2pix , touchup( strength = 0.5 ),blur(sigma=3)")
    page.tab.keyboard.press("Enter")
    wait_for_text(page, "pix2pix,touchup(strength=0.5),blur(sigma=3)")
    assert page.tab.locator(".chip b").all_inner_texts() == ["pix2pix", "touchup", "blur"]
    page.tab.click(".chip >> nth=1")
    assert page.tab.input_value("#option-strength") == "0.5"


def test_forms_become_text(page):
    page.tab.click(".chip >> nth=1")
    page.tab.fill("#option-strength-number", "1.5")
    page.tab.keyboard.press("Enter")
    wait_for_text(page, "pix2pix,touchup(strength=1.5)")
    page.tab.click("[aria-label='Reset strength']")
    wait_for_text(page, "pix2pix,touchup")
    page.tab.keyboard.press("Escape")
    page.tab.click("#add-step")
    page.tab.get_by_role("menuitem", name="posterise").click()
    wait_for_text(page, "pix2pix,touchup,posterise")
    page.tab.click(".chip >> nth=2")
    page.tab.click("[aria-label='Earlier in the chain']")
    wait_for_text(page, "pix2pix,posterise,touchup")
    page.tab.click("[aria-label='Take this step out']")
    wait_for_text(page, "pix2pix,touchup")


def test_what_is_no_chain_is_refused_in_one_line_and_changes_nothing(page):
    page.tab.keyboard.press("t")
    page.tab.fill("#chain-text", "pix2pix,tuchup")
    page.tab.keyboard.press("Enter")
    page.tab.wait_for_selector("#chain-text[aria-invalid=true]")
    assert "tuchup" in page.tab.inner_text("#chain-problem")
    assert page.tab.locator(".chip b").all_inner_texts() == ["pix2pix", "touchup"]


def test_words_of_light_and_weather_are_options(page):
    page.tab.get_by_role("radio", name="dusk", exact=True).click()
    wait_for_text(page, "pix2pix(condition=dusk),touchup")
    page.tab.get_by_role("radio", name="misty", exact=True).click()
    wait_for_text(page, "pix2pix(condition='dusk misty'),touchup")
    page.tab.get_by_role("radiogroup", name="time").get_by_text("auto").click()
    wait_for_text(page, "pix2pix(condition=misty),touchup")


def test_a_style_picture_adds_a_step_that_paints_so_and_stays_as_a_swatch(page):
    buffer = page.tab.screenshot(clip={"x": 0, "y": 0, "width": 40, "height": 30})
    page.drop(buffer, "style.png", "[data-port=style]")
    wait_for_text(page, "pix2pix,touchup,nst")
    assert page.tab.locator("[data-port=style] img").count() == 1
    page.open("?chain=pix2pix")
    swatch = page.tab.get_by_role("button", name="Paint like style.png")
    assert swatch.get_attribute("aria-pressed") == "false"
    swatch.click()
    wait_for_text(page, "pix2pix,nst")


def test_a_photo_chain_asks_for_a_photo(page):
    page.tab.click("#start")
    page.tab.get_by_role("menuitem", name="cyclegan(model=monet)").click()
    wait_for_text(page, "cyclegan(model=monet)")
    assert page.tab.is_visible("#photo-empty")
    assert not page.tab.is_visible("#palette")
    with page.tab.expect_request("**/api/run") as sent:
        page.tab.get_by_role("button", name="coffee").click()
    assert b"cyclegan(model=monet)" in sent.value.post_data_buffer
    assert not page.tab.is_visible("#photo-empty")


def test_a_picture_that_is_no_map_is_asked_about(page):
    before = page.labels()
    page.give("#open", small_map().rotate(10))
    page.tab.get_by_role("button", name="Trace it").click()
    page.tab.wait_for_selector("#tracing:not([hidden])")
    assert (page.labels() == before).all()
    page.drop(b"no picture at all", "broken.png")
    page.tab.wait_for_selector("#toast.error")
    assert page.tab.inner_text("#toast") == "broken.png cannot be read as a picture."


def test_a_reload_keeps_the_map_the_chain_and_the_seed(page):
    page.give("#open", small_map())
    page.wait_for_labels((48, 64))
    page.tab.fill("#seed", "77")
    page.tab.keyboard.press("Enter")
    page.tab.click("#palette button >> nth=3")
    page.drag((10, 10), (30, 20))
    kept = page.labels()
    draft = """async (labels) => {  // all of the stroke: a draft may be kept in its middle
      const { get } = await import("/page/storage.js");
      const draft = await get("drafts", "last");
      return draft?.seed === 77 && labels.every((label, index) => draft.map.data[index] === label);
    }"""
    page.wait_until(draft, kept.flatten().tolist())
    page.open()
    assert (page.labels() == kept).all()
    assert page.tab.input_value("#seed") == "77"
    assert page.text() == "pix2pix,touchup"
