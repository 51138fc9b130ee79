"""Does funit make faces of emoji of classes that it has never seen? `python tests/benchmarks/faces.py DATA MODEL`.

DATA is a folder that `examples/emoji_faces.py` wrote. Faces as they are, of all kinds, are shown in another hue, from K
other faces of their kind in that hue: in a class of training, and in the class of the kind that is held out. Printed:
the mean difference of averages over 8 x 8 pixels to the true face in that hue, beside that of the face as it is; and
how often, of a kind's six hues, the true one is nearest. `devils` are a kind that is held out in all hues.
"""

from __future__ import annotations

import sys

import torch
from spade import cells
from torch import Tensor

from artkit import Chain
from artkit.data import open_dataset
from artkit.images import Picture

SHOTS, FACES, OWN = (1, 3, 10), 4, "own"
"""K; faces a class; the hue of contents."""
Faces = dict[tuple[str, str], list[Tensor]]


def load(folder: str) -> tuple[Faces, set[tuple[str, str]]]:
    """Return the pictures of each class, 3HW in [0, 1], faces in one order in each; and which classes are held out."""
    found, held_out = Faces(), set()
    for split in ("train", "val"):
        data = open_dataset(folder, split)
        for index in range(len(data)):
            sample = data.load(index, ["image", "kind", "hue"])
            name = str(sample["kind"]), str(sample["hue"])
            found.setdefault(name, []).append(torch.as_tensor(sample["image"]).float() / 255)
            held_out |= {name} if split == "val" else set()
    return found, held_out


def score(name: str, made: list[Tensor], asked: list[tuple[str, str, int]], faces: Faces) -> None:
    """Print a line: `asked` are kind, hue and number of the faces that were to be made."""
    own, right = [], []
    for one, (kind, hue, number) in zip(made, asked, strict=True):
        apart = {
            other: float((cells(one) - cells(some[number])).abs().mean())
            for (its, other), some in faces.items()
            if its == kind
        }
        own.append(apart[hue])
        right.append(hue == min(apart, key=lambda each: apart[each]))
    mean, share = torch.tensor(own).mean(), torch.tensor(right).double().mean()
    print(f"{name}: distance {mean:.3f}, hue {share:.2f}, {len(made)} faces", flush=True)


def main(folder: str, model: str) -> None:
    """Print a line a split and K."""
    faces, held_out = load(folder)
    every = [
        (kind, hue, number)
        for (kind, hue) in faces
        if hue != OWN
        for number in range(min(FACES, len(faces[kind, hue])))
    ]
    splits = {
        "classes of training": [one for one in every if one[:2] not in held_out],
        "held-out hues": [one for one in every if one[:2] in held_out and one[0] != "devil"],
        "devils": [one for one in every if one[0] == "devil"],
    }
    chain = Chain(f"funit(model={model!r})")
    for split, asked in splits.items():
        contents = [faces[kind, OWN][number] for kind, _, number in asked]
        score(f"{split}, as they are", contents, asked, faces)
        for count in SHOTS:
            made = []
            for content, (kind, hue, number) in zip(contents, asked, strict=True):
                others = (faces[kind, hue][number + 1 :] + faces[kind, hue][:number])[:count]
                made.append(chain(Picture(content[None]), style=[Picture(one[None]) for one in others]).tensor[0])
            score(f"{split}, K = {count}", made, asked, faces)


if __name__ == "__main__":
    main(*sys.argv[1:])
