"""The example scripts that make data of emoji: what they write of a folder that is made up here."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from artkit.data import open_dataset

EXAMPLES = Path(__file__).parents[1] / "examples"
EMOJI = (
    ("1f600.png", "smiling face with open mouth", "people", "smiley happy", (255, 221, 103)),
    ("1f608.png", "smiling face with horns", "people", "smiley silly", (194, 143, 239)),
    ("1f431.png", "cat face", "nature", "cat animal", (148, 153, 159)),
    ("1f436.png", "dog face", "nature", "dog animal", (150, 105, 75)),
    ("1f466.png", "boy", "people", "people", (255, 221, 103)),
    ("1f466-1f3fb.png", "boy tone 1", "people", "", (254, 215, 178)),
    ("1f466-1f3ff.png", "boy tone 5", "people", "", (150, 105, 75)),
    ("1f468-1f468-1f466.png", "family (man,man,boy)", "people", "people", (255, 221, 103)),
    ("2764.png", "heavy black heart", "symbols", "love", (237, 76, 92)),
)


@pytest.fixture(scope="module")
def emoji(tmp_path_factory):
    """A folder as EmojiTwo's: discs, each with two eyes of its own."""
    folder = tmp_path_factory.mktemp("emojitwo")
    (folder / "png").mkdir()
    lines = ["file\tname\tcategory\tkeywords"]
    for number, (file, name, category, keywords, colour) in enumerate(EMOJI):
        picture = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
        draw = ImageDraw.Draw(picture)
        draw.ellipse((2, 2, 29, 29), (*colour, 255))
        for place in (6 + number, 22 - number):
            draw.rectangle((place, 6 + number, place + 4, 10 + 2 * number), (62, 67, 71, 255))
        picture.save(folder / "png" / file)
        lines.append("\t".join((file, name, category, keywords)))
    (folder / "captions.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def run(script, emoji, out):
    subprocess.run([sys.executable, "-W", "error", EXAMPLES / script, emoji, out], check=True)
    return out


@pytest.fixture(scope="module")
def captioned(emoji, tmp_path_factory):
    return run("emoji.py", emoji, tmp_path_factory.mktemp("captioned"))


@pytest.fixture(scope="module")
def faces(emoji, tmp_path_factory):
    return run("emoji_faces.py", emoji, tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(EXAMPLES / "emoji.py"))


def load_all(folder, *columns):
    found = {}
    for split in ("train", "val"):
        data = open_dataset(str(folder), split)
        for index in range(len(data)):
            found[data.stems[index]] = (split, data.load(index, list(columns)))
    return found


def test_captions_say_names_keywords_skins_and_colours(captioned):
    found = load_all(captioned, "caption")
    numbers, names = zip(*(name.split("-", 1) for name in found), strict=True)
    assert sorted(numbers) == [f"{place:04}" for place in range(len(EMOJI))]
    assert sorted(names) != [name for _, name in sorted(zip(numbers, names, strict=True))]  # they are mixed
    told = {name.split("-", 1)[1]: sample["caption"] for name, (_, sample) in found.items()}
    assert told == {
        "1f600": "smiling face open mouth smiley happy people yellow",
        "1f608": "smiling face horns smiley silly people purple",
        "1f431": "cat face animal nature grey",
        "1f436": "dog face animal nature brown",
        "1f466": "boy people yellow",
        "1f466-1f3fb": "boy pale skin people beige",
        "1f466-1f3ff": "boy dark skin people brown",
        "1f468-1f468-1f466": "family man boy people yellow",
        "2764": "heavy heart love red",
    }


def test_maps_are_the_nearest_colours_and_paper_where_nothing_is_drawn(captioned):
    names = [line.split()[1] for line in (captioned / "classes.txt").read_text().splitlines()]
    for name, (_, sample) in load_all(captioned, "label", "picture", "caption").items():
        labels, picture = np.asarray(sample["label"]), np.asarray(sample["picture"])
        assert (labels.shape, picture.shape) == ((256, 256), (3, 256, 256))
        shares = dict(zip(names, np.bincount(labels.flat, minlength=len(names)) / labels.size, strict=True))
        assert shares["paper"] + shares["black"] + shares[sample["caption"].split()[-1]] > 0.95, name
        assert min(shares["paper"], shares["black"]) > 0.02
        assert names[labels[2, 2]] == "paper"
        assert (picture[:, 2, 2] == 255).all()
        assert 0.5 < (labels > 0).mean() < 0.7  # the disc


def test_softened_borders_are_no_colour_of_their_own(script):
    drawn = np.zeros((40, 40, 3), np.uint8)
    drawn[:, :20], drawn[:, 20], drawn[:, 21:] = (255, 221, 103), (150, 140, 85), (62, 67, 71)
    labels = script["find_colours"](Image.fromarray(drawn), np.ones((40, 40), bool))
    names = list(script["COLOURS"])
    assert {names[index] for index in np.unique(labels)} == {"yellow", "black"}


def test_families_begin_alike_or_look_alike_in_other_colours(script):
    def disc(colour, place):
        picture = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(picture).ellipse((8, 8, 55, 55), colour)
        ImageDraw.Draw(picture).rectangle((place, place, place + 24, place + 24), "white")
        return picture

    pictures = [disc("blue", 4), disc("blue", 36), disc("red", 36), Image.linear_gradient("L").convert("RGB")]
    families = script["find_families"](["1f499", "1f499-200d", "2764", "1f600"], pictures)
    assert families[0] == families[1] == families[2] != families[3]
    families = script["find_families"](["1f499", "1f49a", "2764", "1f600"], pictures)
    assert families[1] == families[2]
    assert len(set(families)) == 3


def test_families_are_in_one_split(captioned):
    splits = {name.split("-", 1)[1]: split for name, (split, _) in load_all(captioned, "caption").items()}
    assert len({splits[name] for name in ("1f466", "1f466-1f3fb", "1f466-1f3ff")}) == 1
    assert set(splits.values()) == {"train", "val"}


def test_faces_have_a_kind_and_six_hues(faces):
    found = load_all(faces, "kind", "hue", "image")
    kinds = {name.split("-own")[0]: sample["kind"] for name, (_, sample) in found.items() if name.endswith("-own")}
    assert kinds == {
        "1f600": "smiley", "1f608": "devil", "1f431": "cat", "1f436": "animal", "1f466": "yellow",
        "1f466-1f3fb": "pale", "1f466-1f3ff": "dark",
    }  # fmt: skip
    assert len(found) == 6 * len(kinds)
    own, turned = (np.asarray(found[f"1f600-{hue}"][1]["image"])[:, 50, 32].astype(int) for hue in ("own", "third"))
    assert own.tolist() == pytest.approx([255, 221, 103], abs=3)
    assert turned.tolist() == pytest.approx([103, 255, 221], abs=8)  # two sixths further: red goes to green


def test_devils_and_one_hue_of_each_kind_are_held_out(faces):
    split_of = {(sample["kind"], sample["hue"]): split for split, sample in load_all(faces, "kind", "hue").values()}
    held_out = [pair for pair, split in split_of.items() if split == "val"]
    assert sorted(hue for kind, hue in held_out if kind == "devil") == sorted({hue for _, hue in split_of})
    others = [kind for kind, hue in held_out if kind != "devil"]
    assert sorted(others) == sorted({kind for kind, _ in split_of} - {"devil"})
    assert all(hue != "own" for kind, hue in held_out if kind != "devil")


@pytest.mark.parametrize("file", ["../../x.png", "/x.png", "2765.png", "a\x1b[31m.png"])
def test_what_is_not_in_the_folder_ends_the_script(tmp_path, script, file):
    (tmp_path / "png").mkdir()
    (tmp_path / "x.png").touch()
    (tmp_path / "captions.tsv").write_text(f"file\tname\tcategory\tkeywords\n{file}\tx\ty\tz\n", encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        script["main"](tmp_path, tmp_path / "out")
    assert str(caught.value) == f"captions.tsv tells of {file!r}, which is not in {tmp_path / 'png'}."
    assert not (tmp_path / "out").exists()
