"""Pieces of movies are the same on every machine, however many cores it has."""

from __future__ import annotations

import os

import numpy as np
import pytest
import torch

from artkit.clips.movie import Look
from artkit.clips.movie_writing import pack_piece
from artkit.images import Picture, write_picture

av = pytest.importorskip("av")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not share out its cores")
def test_a_piece_has_the_same_packets_on_one_core_as_on_all(tmp_path):
    noise = np.random.default_rng(0).random((3, 120, 160), dtype=np.float32)
    frames = [tmp_path / f"{index}.png" for index in range(24)]
    for index, path in enumerate(frames):
        write_picture(Picture(torch.from_numpy(np.roll(noise, 2 * index, 2))[None]), path)
    cores, packed = os.sched_getaffinity(0), []
    try:
        for chosen in (cores, {min(cores)}):
            os.sched_setaffinity(0, chosen)
            pack_piece(frames, tmp_path / "piece.mkv", Look())
            with av.open(str(tmp_path / "piece.mkv")) as container:
                packed.append([bytes(packet) for packet in container.demux(video=0)])
    finally:
        os.sched_setaffinity(0, cores)
    assert packed[0] == packed[1]
    assert len(packed[0]) > len(frames)
