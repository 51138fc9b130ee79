"""Tables and texts of sentences as input: a picture a row, each with its own record; what is wrong is told."""

from __future__ import annotations

import sys

import pytest

import artkit.cli.run  # noqa: F401 - main would import it later
from artkit.cli import main
from artkit.images import read_picture, read_provenance
from artkit.models import save_model
from stackgan_kit import make

TABLE = (
    "file\tsplit\tmood\tcaption\ntrain/1.png\ttrain\tgood\ta lake at noon\n../../2.png\tval\tbad\ta meadow at dusk\n"
)


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    trainer = make()
    trainer.work_out_start()
    path = tmp_path_factory.mktemp("model") / "flat.safetensors"
    save_model(path, *trainer.export())
    return f"stackgan(model='{path}',stage=1)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "captions.tsv").write_text(TABLE)
    return tmp_path


@pytest.mark.parametrize("source", ["told/captions.tsv", "told"])
def test_each_row_becomes_a_picture_that_says_its_sentence(chain, folder, source):
    assert main(["run", source, "--chain", chain, "--size", "32x32", "-o", "out.v1/"]) == 0
    made = {path.name: path for path in (folder / "out.v1").iterdir()}
    assert set(made) == {"train-1.png", "2.png"}  # a name that leads out of the folder does not
    for name, sentence in (("train-1.png", "a lake at noon"), ("2.png", "a meadow at dusk")):
        assert f"text='{sentence}'" in read_provenance(made[name])["chain"].replace('"', "'")
    light, dark = (read_picture(made[name]).tensor.mean() for name in ("train-1.png", "2.png"))
    assert light > dark + 0.1


def test_lines_of_a_text_and_several_seeds(chain, folder):
    (folder / "told.txt").write_text("a lake at noon\n\n  a meadow at dusk\n")
    assert main(["run", "told.txt", "--chain", chain, "-n", "2", "--seed", "5", "--size", "32x32", "-o", "out"]) == 0
    made = sorted(str(path.relative_to(folder / "out")) for path in (folder / "out").rglob("*.png"))
    assert made == ["1/stackgan-5.png", "1/stackgan-6.png", "2/stackgan-5.png", "2/stackgan-6.png"]


def test_a_sentence_of_unknown_words_stops_only_itself(chain, folder, capsys):
    (folder / "told.txt").write_text("a lake at noon\nzebras\nmeadow")
    assert main(["run", "told.txt", "--chain", chain, "--size", "32x32", "-o", "out/"]) == 1
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["1.png", "3.png"]
    assert "2: stackgan(text='zebras'): this model knows none of these words" in capsys.readouterr().err


def test_what_is_there_or_would_be_written_twice_is_refused_before_anything_is_made(chain, folder, capsys):
    (folder / "told.tsv").write_text("file\tcaption\n1.png\ta lake\na/b.png\ta lake\na-b.png\ta meadow\n")
    assert main(["run", "told.tsv", "--chain", chain, "--size", "32x32", "-o", "out/"]) == 1
    assert "two rows of told.tsv would both become a-b.png" in capsys.readouterr().err
    assert not (folder / "out").exists()
    (folder / "out").mkdir()
    (folder / "out" / "2.png").write_text("mine")
    words = ["run", "told", "--chain", chain, "--size", "32x32", "-o", "out/"]
    assert main(words) == 1
    assert "out/2.png exists already" in capsys.readouterr().err
    assert [path.name for path in (folder / "out").iterdir()] == ["2.png"]
    assert main([*words, "--overwrite"]) == 0
    made = {path.name: path.stat().st_mtime_ns for path in (folder / "out").iterdir()}
    (folder / "out" / "2.png").unlink()
    assert main([*words, "--skip-existing"]) == 0
    assert (folder / "out" / "train-1.png").stat().st_mtime_ns == made["train-1.png"]
    assert set(made) == {path.name for path in (folder / "out").iterdir()}


def test_names_that_no_file_can_have_are_made_into_some_that_can(chain, folder):
    (folder / "told.tsv").write_text(f"file\tcaption\n\x1b[31m.png\ta lake\n{'é' * 300}.png\ta lake\n..\ta lake\n")
    assert main(["run", "told.tsv", "--chain", chain, "--size", "32x32", "-o", "out/"]) == 0
    assert {path.name for path in (folder / "out").iterdir()} == {"-[31m.png", f"{'é' * 60}.png", "picture.png"}


def test_what_was_stopped_does_not_go_on_with_the_next(chain, folder, monkeypatch):
    begun = []
    monkeypatch.setattr(sys.modules["artkit.cli.run"], "_run", lambda *asked: begun.append(asked) or 130)
    assert main(["run", "told", "--chain", chain, "-o", "out/"]) == 130
    assert len(begun) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["told", "-o", "one.png"], "told has 2 sentences: give a folder to write to, -o FOLDER/"),
        (["told", "-o", "out/", "--json"], "without --json and --strip"),
        (["photo.png", "-o", "out/"], r"stackgan paints sentences, and photo.png is none: write stackgan(text='...')"),
        (["told", "told", "-o", "out/"], "give one table or text of them"),
        (["empty.txt", "-o", "out/"], "there is no sentence in empty.txt"),
        (["bytes.txt", "-o", "out/"], "bytes.txt is no text"),
        (["nothing.tsv", "-o", "out/"], "nothing.tsv: No such file or directory"),
    ],
)
def test_what_holds_no_sentences_is_told(chain, folder, capsys, words, message):
    (folder / "empty.txt").write_text("\n \n")
    (folder / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    assert main(["run", *words, "--chain", chain]) != 0
    assert message in capsys.readouterr().err
    assert not (folder / "out").exists()


def test_a_sentence_is_said_once(chain, folder, capsys):
    assert main(["run", "told", "--chain", chain.replace(")", ",text='a lake')"), "-o", "out/"]) == 2
    assert "told has the sentences: leave text=... out of stackgan(...)" in capsys.readouterr().err
