"""Addresses of buckets: names, listing, whole writes, what is never told; in memory, and in an S3 server."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from artkit.buckets import STORES, BucketPath, digest_at, open_place, stamp_of, stamps_of, to_place
from artkit.errors import ImageError, OutputError, UsageError
from artkit.files import digest_of
from bucket_kit import memory_bucket, s3_bucket

memory = pytest.fixture(memory_bucket)
s3 = pytest.fixture(scope="module")(s3_bucket)


@pytest.fixture(params=["memory", "s3"])
def bucket(request):
    """An empty folder of a bucket, in both stores."""
    return request.getfixturevalue(request.param) / request.node.name


def test_an_address_and_its_parts():
    place = to_place("s3://photos/in/a.b.PNG")
    assert (str(place), place.name, place.stem, place.suffix) == ("s3://photos/in/a.b.PNG", "a.b.PNG", "a.b", ".PNG")
    assert place.parent == to_place("s3://photos/in/")
    assert place.parent / Path("sub/c.png") == BucketPath("s3", "photos/in/sub/c.png")


def test_paths_stay_paths(tmp_path):
    assert to_place("in/a.png") == Path("in/a.png")
    assert to_place(f"file://{tmp_path}/a.png") == tmp_path / "a.png"
    assert to_place("C:/a.png") == Path("C:/a.png")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "https://example.org/a.png",
            "artkit knows no https:// addresses of pictures, only file://, s3://, memory://.",
        ),
        ("s3://", "s3:// names no bucket: write s3://BUCKET/FOLDER."),
        (
            "s3://me:secret@photos/a.png",
            "the s3:// address has an @ in its bucket: names and passwords do not belong there. Leave them to the "
            "environment, AWS_PROFILE, or to the machine's role.",
        ),
    ],
)
def test_what_is_no_bucket_is_refused_without_its_password(text, words):
    with pytest.raises(UsageError) as told:
        to_place(text)
    assert str(told.value) == words


def test_what_is_written_is_read(bucket):
    place = bucket / "sub/a.png"
    assert stamp_of(place) is None
    assert not place.is_file()
    place.write(b"once")
    assert place.is_file()
    assert place.read() == b"once"
    with open_place(place) as stream:
        assert (stream.read(2), stream.seek(1), stream.read(2)) == (b"on", 1, b"nc")
    assert digest_at(place) == digest_at(b"once") == digest_of(b"once")


def test_an_object_is_not_written_over_unasked(bucket):
    place = bucket / "a.png"
    place.write(b"once")
    with pytest.raises(OutputError) as refused:
        place.write(b"twice")
    assert str(refused.value) == f"{place} exists. Add --overwrite (in Python: overwrite=True) to replace it."
    assert place.read() == b"once"
    before = stamp_of(place)
    place.write(b"thrice", overwrite=True)
    assert place.read() == b"thrice"
    assert stamp_of(place) != before


def test_stamps_of_many_are_those_of_each(bucket, tmp_path):
    places = [bucket / "a.png", bucket / "sub/b.png", bucket / "c.png", tmp_path / "d.png", tmp_path / "e.png"]
    for place in (*places[:2],):
        place.write(str(place).encode())
    places[3].write_bytes(b"d")
    found = stamps_of(places)
    assert found == {place: stamp_of(place) for place in (*places[:2], places[3])}
    assert found[places[0]] == stamps_of(places[:1])[places[0]]


def test_pictures_below(bucket):
    for name in ("a.png", "sub/deep/b.JPG", "notes.txt", ".hidden.png", "sub/.trash/c.png"):
        (bucket / name).write(b"x")
    assert sorted(bucket.below({".png", ".jpg"})) == ["a.png", "sub/deep/b.JPG"]
    assert (bucket / "nothing").below({".png"}) == []


def test_keys_that_would_lead_out_of_a_folder_are_left_out(memory):
    """Names in a bucket are a stranger's: joined to a folder, `..` and a leading slash lead out of it."""
    store = fsspec.filesystem("memory").store
    for key in ("/photos/in/../../etc/a.png", "/photos/in//etc/b.png", "/photos/in/c.png"):
        store[key] = fsspec.implementations.memory.MemoryFile(None, key, b"x")
    assert BucketPath("memory", "photos/in").below({".png"}) == ["c.png"]


def test_what_is_not_there_is_one_line(bucket):
    place = bucket / "nowhere.png"
    with pytest.raises(ImageError) as told:
        place.read()
    assert str(told.value) == f"Cannot read {place}: there is no such object."


def test_a_store_s_own_words_are_not_repeated(memory, monkeypatch):
    def fail(*given, **named):
        raise RuntimeError("key AKIA123 secret hunter2 was refused")

    monkeypatch.setattr(fsspec.implementations.memory.MemoryFileSystem, "cat_file", fail)
    with pytest.raises(ImageError) as told:
        (memory / "a.png").read()
    assert str(told.value) == f"Cannot read {memory}/a.png: RuntimeError. Is it there, and who may read it?"
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_an_object_too_large_is_not_taken_into_memory(memory, monkeypatch):
    (memory / "a.png").write(b"12345")
    monkeypatch.setattr("artkit.buckets.MOST_BYTES", 4)
    with pytest.raises(ImageError, match="has more than 4 bytes"):
        (memory / "a.png").read()


def test_a_store_whose_package_is_not_here(monkeypatch):
    def missing(scheme, **options):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "filesystem", missing)
    with pytest.raises(UsageError, match="s3:// needs a package that is not here: pip install s3fs"):
        to_place("s3://photos/a.png").read()
    assert STORES["s3"] == "s3fs"
