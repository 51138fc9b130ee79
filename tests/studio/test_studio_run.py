"""Runs over HTTP: what goes in, what comes out, and what a job tells meanwhile."""

from __future__ import annotations

import io
import tomllib

import numpy as np
import pytest
from PIL import Image

import artkit
from artkit.images import read_provenance
from studio_kit import encode, events_of, grey, open_studio, pixels_of, wait_for_end, wait_until
from studio_methods import GATE

LANDSCAPE = np.kron(np.arange(12, dtype=np.uint8).reshape(3, 4), np.ones((8, 8), np.uint8))


@pytest.fixture(scope="module")
def visitor():
    with open_studio() as visitor:
        yield visitor


def colours() -> np.ndarray:
    model = artkit.models("pix2pix")["pix2pix/landscape"]
    return np.array(model.header.classes.colours, np.uint8)[LANDSCAPE]


def test_the_picture_comes_at_once_where_it_is_asked_for(visitor):
    answer = visitor.run("invert", grey(200), png=True)
    assert answer.headers["content-type"] == "image/png"
    assert pixels_of(answer.content)[0, 0].tolist() == [55, 55, 55]
    record = read_provenance(io.BytesIO(answer.content))
    assert (record["chain"], record["seed"]) == ("invert", 0)


def test_it_is_the_picture_that_a_chain_makes(visitor):
    answer = visitor.run("pix2pix,touchup", encode(colours()), png=True, seed=5)
    assert np.array_equal(pixels_of(answer.content), artkit.Chain("pix2pix,touchup")(colours(), seed=5).numpy())


def test_a_job_says_what_its_steps_report(visitor):
    job = visitor.job("stackgan(text='a lake with unicorns',stage=0),invert", size="16x12")
    wait_for_end(job)
    words, inverted = visitor.state(job)["steps"]
    assert (words["method"], words["words"], words["unknown"]) == ("stackgan", ["a", "lake", "with"], ["unicorns"])
    assert inverted == {"method": "invert"}


def test_indices_mean_the_classes_of_the_first_step_that_has_them(visitor):
    by_index, by_colour = (
        visitor.run("pix2pix", encode(pixels), png=True, **how)
        for pixels, how in ((LANDSCAPE, {"labels": "index"}), (colours(), {}))
    )
    assert np.array_equal(pixels_of(by_index.content), pixels_of(by_colour.content))
    answer = visitor.run("invert", encode(LANDSCAPE), png=True, labels="index")
    assert answer.json()["error"].startswith("labels=index: no step of the chain has classes")
    answer = visitor.run("pix2pix", grey(3), png=True, labels="index")
    assert answer.json()["error"].startswith("labels=index: the label map must be")
    answer = visitor.run("pix2pix", encode(LANDSCAPE + 1), png=True, labels="index")
    assert "holds class 12" in answer.json()["error"]


def test_indices_are_not_taken_for_colours_of_a_palette(visitor):
    image = Image.fromarray(LANDSCAPE)
    image.putpalette([level for index in range(256) for level in (255 - index, index, 7)])
    stream = io.BytesIO()
    image.save(stream, "PNG")
    first = visitor.run("pix2pix", stream.getvalue(), png=True, labels="index").content
    assert np.array_equal(pixels_of(first), pixels_of(visitor.run("pix2pix", encode(colours()), png=True).content))


def test_a_preview_is_smaller_and_never_larger(visitor):
    assert pixels_of(visitor.run("invert", grey(1, (64, 32)), png=True, longest=16).content).shape == (8, 16, 3)
    assert pixels_of(visitor.run("invert", grey(1, (8, 4)), png=True, longest=16).content).shape == (4, 8, 3)
    assert pixels_of(visitor.run("invert", grey(1), png=True, size="20x10").content).shape == (10, 20, 3)
    assert pixels_of(visitor.run("fancy", png=True, size="64x48", longest=16).content).shape == (12, 16, 3)


def test_a_preview_of_a_label_map_mixes_no_classes(visitor):
    big = encode(np.kron(LANDSCAPE, np.ones((3, 3), np.uint8)))
    small = visitor.run("pix2pix", big, png=True, labels="index", longest=32)
    whole = visitor.run("pix2pix", encode(LANDSCAPE), png=True, labels="index")
    assert np.array_equal(pixels_of(small.content), pixels_of(whole.content))


def test_ports_are_fed_by_their_names(visitor):
    answer = visitor.run("mixture", grey(100), png=True, style=grey(200, (5, 7)))
    assert pixels_of(answer.content)[0, 0, 0] == 150
    missing = visitor.run("mixture", grey(100), png=True)
    assert missing.status_code == 422
    assert "needs its port 'style'" in missing.json()["error"]
    assert "port" in visitor.run("invert", grey(1), style=grey(2)).json()["error"]


def test_a_port_for_many_pictures_takes_the_one_that_is_sent(visitor):
    answer = visitor.run("average", grey(100), png=True, style=grey(200))
    assert pixels_of(answer.content)[0, 0, 0] == 150


def test_a_recipe_names_what_it_was_made_with(visitor):
    job = visitor.job("pix2pix", encode(colours()))
    wait_for_end(job)
    made = read_provenance(io.BytesIO(visitor.get(f"/api/jobs/{job.id}/picture").content))
    recipe = tomllib.loads(visitor.get(f"/api/jobs/{job.id}/recipe.toml").text)
    assert (recipe["models"], recipe["plugins"]) == (made["models"], made["plugins"])
    assert set(made["models"]) == {"pix2pix/landscape"}
    picture = visitor.get(f"/api/jobs/{job.id}/picture").content
    restored = visitor.post("/api/restore", files={"picture": picture})
    assert tomllib.loads(restored.json()["recipe"]["toml"]) == recipe


def test_seeds_are_obeyed(visitor):
    one, same, other = (visitor.run("fancy", png=True, size="8x8", seed=seed).content for seed in (1, 1, 2))
    assert one == same
    assert not np.array_equal(pixels_of(one), pixels_of(other))


def test_a_job_tells_what_became_of_it(visitor):
    job = visitor.job("slow,invert", grey(200), seed=3)
    wait_until(job, lambda job: job.state == "running")
    assert visitor.get(f"/api/jobs/{job.id}/picture").status_code == 404
    GATE.release()
    wait_until(job, lambda job: job.share == 0.125)
    found = visitor.state(job)
    assert (found["state"], found["step"], found["picture"]) == ("running", "slow", None)
    assert pixels_of(visitor.get(found["sketch"]).content)[0, 0, 0] == 100
    GATE.release(3)
    wait_for_end(job)
    found = visitor.state(job)
    assert (found["state"], found["share"], found["sketch"], found["position"]) == ("done", 1, None, 0)
    assert visitor.get(f"/api/jobs/{job.id}/sketch").status_code == 200  # for those who were told of it a moment ago
    assert pixels_of(visitor.get(found["picture"]).content)[0, 0, 0] == 55
    assert found["recipe"]["command"] == "artkit run INPUT.png --chain slow,invert --seed 3 -o art.png"
    assert visitor.get(f"/api/jobs/{job.id}/recipe.toml").text == found["recipe"]["toml"]
    assert 'chain = "slow,invert"\nseed = 3' in found["recipe"]["toml"]


def test_events_come_while_it_happens(visitor):
    job = visitor.job("slow", grey(200))
    seen = []
    with visitor.stream("GET", f"/api/jobs/{job.id}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for name, data in events_of(answer.iter_lines()):
            seen.append(name)
            if name == "progress" and data["state"] == "running":
                GATE.release()
    assert seen[0] == "progress"
    assert "sketch" in seen
    assert seen[-1] == "done"
    with visitor.stream("GET", f"/api/jobs/{job.id}/events") as answer:
        assert [name for name, _ in events_of(answer.iter_lines())] == ["done"]


def test_failures_are_told_in_one_line(visitor):
    job = visitor.job("fail", grey(200))
    wait_for_end(job)
    error = visitor.state(job)["error"]
    assert "\n" not in error
    assert "out of paint" in error
    answer = visitor.run("refuse", grey(200), png=True)
    assert (answer.status_code, answer.json()) == (422, {"error": "refuse: not this picture."})


def test_the_studio_goes_on_after_a_failure(visitor):
    wait_for_end(visitor.job("fail", grey(1)))
    assert visitor.run("invert", grey(200), png=True).status_code == 200
