"""The atelier: an endless, licence-free world of landscapes, each from a seed, as maps, pictures and captions."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from msgspec import Meta

from artkit import DatasetSpec, Options, hookimpl, option

Style = Literal["impressionist", "swirl", "pointillist", "pastel", "watercolour", "fauve", "ink", "mosaic"]
Look = Literal["photo", Style]
MotifKind = Literal["landscape", "photograph", "abstract"]


class LandscapesOptions(Options, frozen=True):
    """Options of the landscapes, made as they are asked for or written to a folder."""

    count: Annotated[int, option("how many pictures, a tenth of the landscapes for validation", ge=1)] = 1000
    seed: Annotated[int, option("seed of the first landscape; the next one has the next", ge=0)] = 0
    size: Annotated[tuple[int, int], option("width and height in pixels")] = (256, 256)
    sides: Annotated[
        tuple[Annotated[int, Meta(ge=16, le=2048)], ...],
        option("widths to take in turn, in the shape of `size`, for pictures of mixed sizes"),
    ] = ()
    drawn: Annotated[float, option("the share of scenes that are flat and simple, as people draw them", ge=0, le=1)] = (
        0.2
    )
    style: Annotated[Style, option("how the paintings are painted")] = "impressionist"
    styles: Annotated[
        tuple[Look, ...],
        option("styles of paintings, `photo` among them, one drawn for each and named in the column `style`"),
    ] = ()
    lights: Annotated[
        Literal["own", "any", "morning", "noon", "golden", "dusk"],
        option("the light that belongs to a scene, mostly clear; any, all as often; or one hour for all, in clear air"),
    ] = "own"
    looks: Annotated[
        int, option("pictures of each scene in a row, each with the light and the style drawn for it", ge=1)
    ] = 1
    partner: Annotated[bool, option("a column `partner`: another scene in the same light and style, painted alike")] = (
        False
    )
    content: Annotated[bool, option("a column `content`: the scene's photo in another light, unpainted")] = False
    held_out: Annotated[
        int, option("looks (light and style) of `lights=any` that only validation shows, and nothing else there", ge=0)
    ] = 0
    frames: Annotated[
        int, option("for `data make`: frames of a slow camera move through each landscape, 0 for single pictures", ge=0)
    ] = 0
    cache: Annotated[str | None, option("a folder that keeps what was made once")] = None

    def size_of(self, index: int) -> tuple[int, int]:
        """Return the width and height of the landscape at `index`."""
        if not self.sides:
            return self.size
        width, height = self.size
        side = self.sides[index % len(self.sides)]
        return side, max(1, round(side * height / width))


class StudioOptions(Options, frozen=True):
    """Options of the studio's photos and paintings, made as they are asked for."""

    count: Annotated[int, option("how many pictures in each domain, a tenth of them for validation", ge=1)] = 400
    seed: Annotated[int, option("seed of the first motif; every picture has its own", ge=0)] = 0
    side: Annotated[int, option("width and height in pixels", ge=16, le=2048)] = 256
    styles: Annotated[tuple[Style, ...], option("how the paintings are painted: a domain each")] = (
        "impressionist",
        "swirl",
    )
    cache: Annotated[str | None, option("a folder that keeps what was made once")] = None


class PlacesOptions(Options, frozen=True):
    """Options of the places seen from above, made as they are asked for or written to a folder."""

    count: Annotated[int, option("how many places, a tenth of them for validation", ge=1)] = 1000
    seed: Annotated[int, option("seed of the first place; the next one has the next", ge=0)] = 0
    size: Annotated[
        tuple[Annotated[int, Meta(ge=16, le=2048)], Annotated[int, Meta(ge=16, le=2048)]],
        option("width and height in pixels"),
    ] = (256, 256)


class StylesOptions(Options, frozen=True):
    """Options of the paintings by style, made as they are asked for or written to a folder."""

    count: Annotated[int, option("how many paintings, as many of each style, a tenth of them for validation", ge=1)] = (
        1000
    )
    seed: Annotated[int, option("seed of the first painting; the next one has the next", ge=0)] = 0
    size: Annotated[tuple[int, int], option("width and height in pixels")] = (256, 256)
    styles: Annotated[tuple[Style, ...], option("the styles; all when left out")] = get_args(Style)
    motifs: Annotated[
        tuple[MotifKind, ...],
        option("what they show, in turn: landscapes, details of photographs, abstract compositions"),
    ] = ("landscape",)
    photos: Annotated[str | None, option("a folder of photographs; scikit-image's own when left out")] = None
    cache: Annotated[str | None, option("a folder that keeps what was made once")] = None


@hookimpl
def register_datasets() -> list[DatasetSpec]:
    """Register the landscapes, paintings of them by style, places from above, and the studio."""
    return [
        DatasetSpec(
            name="landscapes",
            summary="Landscapes: label maps (12 classes), renderings, paintings, captions.",
            factory="artkit_atelier.streaming:open_landscapes",
            writer="artkit_atelier.dataset:write_landscapes",
            options=LandscapesOptions,
        ),
        DatasetSpec(
            name="styles",
            summary="Paintings in several styles, of landscapes or other motifs, each with the name of its style.",
            factory="artkit_atelier.gallery:open_gallery",
            writer="artkit_atelier.gallery:write_gallery",
            options=StylesOptions,
        ),
        DatasetSpec(
            name="places",
            summary="Places seen from above: maps, and photos from the air.",
            factory="artkit_atelier.aerial:open_places",
            writer="artkit_atelier.aerial:write_places",
            options=PlacesOptions,
        ),
        DatasetSpec(
            name="studio",
            summary="Photos and paintings of other motifs: unpaired domains, one for each style.",
            factory="artkit_atelier.studio:open_studio",
            options=StudioOptions,
        ),
    ]
