"""The studio is killed in the middle of a picture and started again: the page finds it, and nothing is lost."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from page_kit import Page, needs_browser, small_map, start_studio

pytestmark = needs_browser

LONG = "pix2pix,nst(style=glass,quality=best)"


@pytest.fixture
def processes():
    """Start studios; kill those that still run at the end."""
    started = []

    def start(port="0"):
        process, address = start_studio(port)
        started.append(process)
        return process, address

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=30)


def runs(page) -> int:
    return sum(url.endswith("/api/run") for url in page.requests)


def test_the_page_finds_a_killed_studio_again_and_sends_what_was_under_way(processes, page_browser):
    process, address = processes()
    context = page_browser.new_context(viewport={"width": 1000, "height": 700})
    page = Page(context.new_page(), address).open("?chain=pix2pix")
    page.give("#open", small_map(192, 256))
    page.wait_for_labels((192, 256))
    page.tab.wait_for_selector("#picture[data-size='256x192']")
    page.wait_for_card(1)
    page.tab.keyboard.press("t")
    page.tab.fill("#chain-text", LONG)
    page.tab.keyboard.press("Enter")
    page.wait_until("() => document.getElementById('status').textContent.includes('nst')")
    kept, asked, cards = page.labels(), runs(page), page.tab.locator(".card").count()
    process.kill()
    page.tab.wait_for_selector("#status.error")
    assert page.tab.inner_text("#status").startswith("The studio does not answer")
    assert page.tab.is_hidden("#cancel")
    processes(str(urlsplit(address).port))
    page.tab.wait_for_selector("#toast:has-text('The studio is back')")
    page.wait_until("() => document.getElementById('status').textContent.includes('nst')")
    assert runs(page) == asked + 1
    assert (page.labels() == kept).all()
    assert page.text() == LONG
    assert page.tab.locator(".card").count() == cards
    page.tab.click("#cancel")
    page.tab.wait_for_selector("#status[data-busy=false]")
    context.close()
