"""Pieces of movies are the same on every machine, whatever its cores are and however many."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from artkit.clips import movie_writing
from artkit.clips.movie import Look
from artkit.clips.movie_writing import pack_piece
from artkit.images import Picture, write_picture

av = pytest.importorskip("av")


def _write_frames(folder, size, count):
    noise = np.random.default_rng(0).random((3, *size), dtype=np.float32)
    smooth = (noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2)) / 3
    frames = [folder / f"{index}.png" for index in range(count)]
    for index, path in enumerate(frames):
        write_picture(Picture(torch.from_numpy(np.roll(smooth, 2 * index, 2))[None]), path)
    return frames


def _pack(frames, target):
    pack_piece(frames, target, Look())
    with av.open(str(target)) as container:
        return [bytes(packet) for packet in container.demux(video=0)]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not share out its cores")
def test_a_piece_has_the_same_packets_on_one_core_as_on_all(tmp_path):
    frames = _write_frames(tmp_path, (120, 160), 24)
    cores, packed = os.sched_getaffinity(0), []
    try:
        for chosen in (cores, {min(cores)}):
            os.sched_setaffinity(0, chosen)
            packed.append(_pack(frames, tmp_path / "piece.mkv"))
    finally:
        os.sched_setaffinity(0, cores)
    assert packed[0] == packed[1]
    assert len(packed[0]) > len(frames)


def test_a_piece_has_the_same_packets_without_vector_units(tmp_path, monkeypatch):
    if "libx264" not in av.codecs_available:
        pytest.skip("this PyAV is without x264")
    frames = _write_frames(tmp_path, (240, 320), 12)
    quality = movie_writing.QUALITY["libx264"]
    plain = {**quality, "x264-params": f"{quality['x264-params']}:asm=0"}
    packed = _pack(frames, tmp_path / "piece.mkv")
    monkeypatch.setitem(movie_writing.QUALITY, "libx264", plain)
    assert packed == _pack(frames, tmp_path / "plain.mkv")
