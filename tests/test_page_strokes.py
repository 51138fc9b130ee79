"""Strokes in a real browser: colour over a photo or a dream, pixel by pixel, and the picture that follows the hand."""

from __future__ import annotations

import base64
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit.data import open_dataset
from artkit.images import read_provenance
from artkit.models import save_model
from artkit.training import Settings
from artkit_igan import IganTraining
from artkit_igan.trainer import IganTrainer
from page_kit import Page, needs_browser, studio
from test_page_looks import SIZES, axe

pytestmark = needs_browser

WIDTH, HEIGHT = 96, 64
Y, X = np.mgrid[:HEIGHT, :WIDTH]
CHAIN = "?chain=igan(model=tiny,steps=5,reach=0.2)"
LAYER = """async () => {
  const { map } = (await (await import("/page/app.js")).studio).strokes.layer;
  return [map.height, map.width, btoa(String.fromCharCode(...new Uint8Array(map.data.buffer)))];
}"""
GROUND = """async () => {
  const { easel } = await (await import("/page/app.js")).studio;
  if (!easel.photo) return null;
  const canvas = new OffscreenCanvas(easel.photo.width, easel.photo.height);
  const context = canvas.getContext("2d");
  context.drawImage(easel.photo, 0, 0);
  return [...context.getImageData(0, 0, 8, 8).data].join();
}"""
PAINTED = "async () => !(await (await import('/page/app.js')).studio).strokes.layer.empty"
KEPT = """async () => {
  const { get } = await import("/page/storage.js");
  return Boolean((await get("drafts", "last"))?.strokes?.data.some(Boolean));
}"""
CARD = """async () => {
  const { gallery } = await (await import("/page/app.js")).studio;
  const text = async blob => {
    let out = "";
    for (const byte of new Uint8Array(await blob.arrayBuffer())) out += String.fromCharCode(byte);
    return btoa(out);
  };
  const { mode, picture, ports } = gallery.cards[0];
  return [mode, await text(picture), await text(ports.edit)];
}"""


def make_photo() -> Image.Image:
    """A photo: sky above grass, with some grain, so that no two pixels are alike."""
    picture = np.where(Y[..., None] < HEIGHT // 2, (110, 160, 210), (90, 140, 60))
    grain = np.random.default_rng(0).integers(-20, 20, (HEIGHT, WIDTH, 3))
    return Image.fromarray((picture + grain).astype(np.uint8))


PHOTO = make_photo()


@pytest.fixture(scope="module")
def address():
    """A studio that has a small igan model."""
    torch.manual_seed(0)
    options = IganTraining(picture="photo", latent=12, width=4, discriminator_width=4)
    settings = Settings(batch=4, crop=32, steps=1)
    trainer = IganTrainer(options, settings, open_dataset("landscapes(count=30,size=[32,32],seed=5)", "train"))
    trainer.work_out_start()
    with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
        path = Path(home, "models", "igan", "tiny.safetensors")
        path.parent.mkdir(parents=True)
        save_model(path, *trainer.export())
        patch.setenv("ARTKIT_HOME", home)
        with studio() as address:
            yield address


@pytest.fixture
def open_page(page_browser, address):
    contexts = []

    def open_one(query=CHAIN, size=(1000, 700), context=None, **more):
        if context is None:
            context = page_browser.new_context(viewport={"width": size[0], "height": size[1]}, **more)
            contexts.append(context)
        return Page(context.new_page(), address).open(query)

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def canvas(open_page):
    """The page with a photo below the strokes, whose studio makes no picture."""
    page = open_page()
    page.tab.route("**/api/run", lambda route: route.fulfill(status=429, json={"error": "busy"}))
    give_photo(page)
    page.brush(9)
    return page


def give_photo(page):
    page.give("#open", PHOTO, "meadow.png")
    page.wait_until("""async () => (await (await import("/page/app.js")).studio).strokes.layer.map.width === 96""")


SLOWLY = """() => {
  const decode = createImageBitmap;
  const after = (...all) => new Promise((done) => setTimeout(() => done(decode(...all)), 300));
  window.createImageBitmap = (file, ...how) => (file.name === "edit.png" ? after : decode)(file, ...how);
}"""
"""Strokes take longer to read than the photo that is dropped after them."""


def layer(page):
    """Return the strokes, H W 4 bytes."""
    height, width, text = page.tab.evaluate(LAYER)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)


def decode(text):
    return np.asarray(Image.open(BytesIO(base64.b64decode(text))))


def near(a, b, size):
    """Pixels within half a size of the level way from a to b."""
    beyond = np.maximum(np.maximum(a[0] - X, X - b[0]), 0)
    return np.hypot(beyond, Y - a[1]) <= size / 2


def painted(mask, colour):
    return np.where(mask[..., None], np.uint8([*colour, 255]), np.uint8(0))


def test_a_stroke_is_a_colour_and_the_rest_is_clear(canvas):
    assert canvas.tab.get_attribute("main", "data-mode") == "strokes"
    canvas.tab.get_by_role("radio", name="dusk", exact=True).click()
    canvas.drag((20, 20), (60, 20))
    want = painted(near((20, 20), (60, 20), 9), (0xF0, 0xA8, 0x60))
    assert (layer(canvas) == want).all()
    canvas.tab.fill("#colour", "#102030")
    canvas.drag((20, 50), (30, 50))
    both = np.where(near((20, 50), (30, 50), 9)[..., None], np.uint8([16, 32, 48, 255]), want)
    assert (layer(canvas) == both).all()
    canvas.tool("eraser")
    canvas.drag((0, 50), (90, 50))
    assert (layer(canvas) == want).all()
    canvas.tab.keyboard.press("Control+z")
    assert (layer(canvas) == both).all()
    canvas.tab.click("#clear-strokes")
    assert not layer(canvas).any()
    canvas.tab.click("#undo")
    assert (layer(canvas) == both).all()
    assert [line for line in canvas.problems if "429" not in line] == []


def test_the_eyedropper_sees_the_photo_and_the_strokes(canvas):
    pixels = np.asarray(PHOTO)
    canvas.tool("eyedropper")
    canvas.click(70, 10)
    assert canvas.tab.input_value("#colour") == "#{:02x}{:02x}{:02x}".format(*pixels[10, 70])
    canvas.drag((20, 40), (30, 40))  # the brush is back
    assert (layer(canvas) == painted(near((20, 40), (30, 40), 9), pixels[10, 70])).all()
    canvas.tab.get_by_role("radio", name="water").click()
    canvas.tool("eyedropper")
    canvas.click(25, 40)
    assert canvas.tab.input_value("#colour") == "#{:02x}{:02x}{:02x}".format(*pixels[10, 70])


def test_lighter_and_darker_are_of_what_lies_where_a_stroke_begins(canvas):
    level = np.asarray(PHOTO)[40, 20].astype(float)
    canvas.tab.get_by_role("radio", name="lighter").click()
    canvas.drag((20, 40), (60, 40))
    lighter = np.floor(level + (255 - level) * 0.3 + 0.5)
    assert (layer(canvas) == painted(near((20, 40), (60, 40), 9), lighter.astype(int))).all()
    canvas.tab.keyboard.press(".")
    canvas.drag((40, 40), (42, 40))
    assert (layer(canvas)[40, 42, :3] == np.floor(lighter * 0.7 + 0.5)).all()  # darker than the stroke below


def test_keys_alone_paint_strokes(canvas):
    canvas.tab.keyboard.press("c")
    canvas.tab.keyboard.press("2")
    canvas.tab.keyboard.press("Space")
    assert (layer(canvas)[32, 48] == (0xF0, 0xA8, 0x60, 255)).all()
    assert canvas.tab.get_attribute("#map", "aria-label").startswith("Strokes, 96 by 64 pixels")
    canvas.tab.keyboard.press("ArrowRight")
    assert canvas.tab.inner_text("#cursor") == "#f0a860, 49, 32"


def test_a_photo_becomes_what_strokes_say_near_them_and_stays_elsewhere(open_page):
    page = open_page()
    give_photo(page)
    page.brush(15)
    page.tab.get_by_role("radio", name="night").click()
    page.drag((10, 50), (40, 50))
    page.wait_for_card(1)
    mode, picture, edit = page.tab.evaluate(CARD)
    stroke = near((10, 50), (40, 50), 15)
    assert mode == "strokes"
    assert (decode(edit) == painted(stroke, (0x1C, 0x23, 0x40))).all()
    before, after = np.asarray(PHOTO).astype(int), decode(picture).astype(int)
    assert after.shape == before.shape
    assert (after[:24] == before[:24]).all()  # a fifth of the sides away, and two pixels of what is found in 32 x 32
    assert (after[:, 76:] == before[:, 76:]).all()
    assert after[stroke].mean() < before[stroke].mean() - 5
    assert page.problems == []


def test_the_picture_follows_while_the_hand_is_down(open_page):
    page = open_page()
    give_photo(page)
    places = [page.place(10, 50), page.place(40, 50)]
    page.tab.mouse.move(*places[0])
    page.tab.mouse.down()
    page.tab.mouse.move(*places[1])
    page.tab.wait_for_selector("#picture[data-size='96x64']")
    assert page.tab.get_attribute("#gallery", "data-count") in (None, "0")  # a look, until the hand rests
    page.tab.mouse.up()
    page.wait_for_card(1)


def test_without_a_photo_a_dream_lies_below(open_page):
    page = open_page()
    page.wait_until(f"async () => await ({GROUND})() !== null")
    first = page.tab.evaluate(GROUND)
    page.tab.click("#dice")
    page.wait_until(f"async before => ![before, null].includes(await ({GROUND})())", first)
    assert page.tab.is_visible("#picture-empty")  # nothing is painted yet
    page.drag((100, 100), (300, 100))
    page.wait_for_card(1)
    assert page.tab.get_attribute("#picture", "data-size") == "512x384"
    page.tab.keyboard.press("Control+z")
    page.tab.wait_for_selector("#picture-empty", state="visible")
    assert page.problems == []


def test_strokes_come_back_with_a_card_a_file_and_a_reload(open_page, tmp_path):
    page = open_page()
    give_photo(page)
    page.drag((10, 50), (40, 50))
    page.wait_for_card(1)
    want = layer(page)
    page.wait_until(KEPT)
    page.open(CHAIN)
    page.wait_until(PAINTED)
    assert (layer(page) == want).all()
    page.tab.click("#clear-strokes")
    page.tab.click(".card .open >> nth=0")
    page.wait_until("() => document.getElementById('status').textContent === 'Picture 1'")
    assert (layer(page) == want).all()

    page.tab.click("#download")
    with page.tab.expect_download() as saved:
        page.tab.get_by_role("menuitem", name="Picture").click()
    picture = saved.value.path().read_bytes()
    (tmp_path / "art.png").write_bytes(picture)
    assert read_provenance(tmp_path / "art.png")["chain"] == "igan(model=tiny,steps=5,reach=0.2)"
    page.tab.click("#download")
    with page.tab.expect_download() as saved:
        page.tab.get_by_role("menuitem", name="Strokes").click()
    strokes = saved.value.path().read_bytes()
    assert (np.asarray(Image.open(BytesIO(strokes))) == want).all()
    other = open_page("?chain=posterise")
    other.drop(picture, "art.png")
    other.wait_until("() => document.getElementById('toast').textContent.includes('edit.png')")
    other.tab.evaluate(SLOWLY)
    other.drop(strokes, "edit.png")
    stream = BytesIO()
    PHOTO.save(stream, "PNG")
    other.drop(stream.getvalue(), "meadow.png")
    other.wait_until("() => document.getElementById('toast').textContent === 'All is as it was made.'")
    assert (layer(other) == want).all()


def test_strokes_are_to_start_from_where_a_model_is(open_page):
    page = open_page("?chain=posterise")
    page.tab.click("#start")
    page.tab.get_by_role("menuitem", name="Strokes colour over").click()
    page.wait_until("() => document.querySelector('main').dataset.mode === 'strokes'")
    assert page.text().startswith("igan")
    without = """async () => {
      const { chain } = await (await import("/page/app.js")).studio;
      const { starts } = await import("/page/chain.js");
      chain.methods.get("igan").models = [];
      return starts(chain).map(item => item.label);
    }"""
    assert "Strokes" not in page.tab.evaluate(without)


@pytest.mark.parametrize("size", SIZES)
def test_everything_is_on_one_screen(open_page, size):
    page = open_page(size=SIZES[size])
    width, height = SIZES[size]
    for part in ("#map", "#picture", "#paints", "#colour", "#clear-strokes", "#tools", "#style", "#gallery", "#redo"):
        box = page.tab.locator(part).bounding_box()
        assert 0 <= box["x"] <= width - box["width"], part
        assert 0 <= box["y"] <= height - box["height"], part
    rows = page.tab.eval_on_selector("#paints", "paints => [paints.scrollHeight, paints.clientHeight]")
    assert rows[0] <= rows[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme):
    page = open_page(color_scheme=scheme)
    page.tab.wait_for_selector("#paints [role=radio]")
    assert axe(page.tab) == []
