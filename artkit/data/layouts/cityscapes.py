"""Cityscapes (Cordts et al. 2016): street scenes with label maps, told by the endings of their names."""

from __future__ import annotations

from artkit.data.layouts.place import Files, Place, Table
from artkit.spec import ClassSet, LabelClass

ENDINGS = {
    "_leftImg8bit": "image",
    "_gtFine_labelIds": "label",
    "_gtCoarse_labelIds": "label",
}

# The data set's own colours; where it gives several classes one colour, all but the first differ by a few levels.
_CLASSES = """unlabeled 0 0 0; ego_vehicle 10 0 0; rectification_border 0 10 0; out_of_roi 0 0 10; static 10 10 10
dynamic 111 74 0; ground 81 0 81; road 128 64 128; sidewalk 244 35 232; parking 250 170 160; rail_track 230 150 140
building 70 70 70; wall 102 102 156; fence 190 153 153; guard_rail 180 165 180; bridge 150 100 100; tunnel 150 120 90
pole 153 153 153; pole_group 143 143 143; traffic_light 250 170 30; traffic_sign 220 220 0; vegetation 107 142 35
terrain 152 251 152; sky 70 130 180; person 220 20 60; rider 255 0 0; car 0 0 142; truck 0 0 70; bus 0 60 100
caravan 0 0 90; trailer 0 0 110; train 0 80 100; motorcycle 0 0 230; bicycle 119 11 32"""


def find_cityscapes(place: Place) -> Table | None:
    """See `aachen_000000_000019_leftImg8bit.png` and `..._gtFine_labelIds.png`, in any folders.

    Other maps (instances, colours, training ids) are left out: they say nothing that the label ids do not.
    """
    columns: dict[str, Files] = {"image": {}, "label": {}}
    for path in place.pictures.values():
        stem = path.stem
        ending = next((ending for ending in ENDINGS if stem.endswith(ending)), None)
        if ending:
            columns[ENDINGS[ending]].setdefault(stem.removesuffix(ending), path)
    if not all(columns.values()):
        return None
    return Table("Cityscapes", columns, classes={"label": CLASSES})


def _class(text: str) -> LabelClass:
    name, *colour = text.split()
    red, green, blue = map(int, colour)
    return LabelClass(name, (red, green, blue))


CLASSES = ClassSet("cityscapes", tuple(_class(text) for text in _CLASSES.replace("\n", ";").split(";")))
