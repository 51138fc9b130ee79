"""The translator of nst: choose the engine, make the style ready once, paint each photo."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from artkit import Context, ImageError, ModelError, ModelHeader, OptionError, Translator
from artkit.translator import Bookmark
from artkit_nst import SPEC, NstOptions
from artkit_nst.colour import grey_sources, keep_luminance, keep_palette, luma
from artkit_nst.importance import find_importance
from artkit_nst.levels import Maps
from artkit_nst.painting import EFFORTS, Journal, Painter, Sketch, find_looseness
from artkit_nst.patches import Source
from artkit_nst.regions import photo_regions, style_regions
from artkit_nst.style import Style, warn_of_photo, warn_of_smallness
from artkit_nst.swatches import make_swatch

if TYPE_CHECKING:
    from artkit_nst.vgg.network import Vgg19

DEFAULT = "flow"  # the style where nobody says one
PRELUDE = 0.1  # part of the work of the engine vgg that its beginning counts for
KEEPING = {"luminance": keep_luminance, "palette": keep_palette}

_log = logging.getLogger("artkit.nst")


def choose_network(options: NstOptions) -> Vgg19 | None:
    """Return VGG-19 where it is asked for, or found, and None for the engine `patch`; say with -v which it is.

    Raises ModelError when vgg is asked for and there are no weights, or weights that are not VGG-19's.
    """
    if options.engine == "patch":
        return None
    from artkit_nst.vgg.network import find_weights, places, read_weights

    found = find_weights(options.weights)
    if found is None:
        looked = f"no weights of VGG-19 in {places()}"
        if options.engine == "vgg":
            raise ModelError(f"nst(engine=vgg): {looked}; give the file with weights=PATH, or take engine=patch.")
        _log.debug("nst: engine patch: %s.", looked)
        return None
    from artkit_nst.vgg.network import Vgg19

    _log.debug("nst: engine vgg: weights from %s (%s).", found.path, found.where)
    return Vgg19(read_weights(found.path))


@dataclass(frozen=True)
class Brief:
    """What is asked for one photo: 3HW, the styles' pictures and maps (3HW each), the photo's own map, and where it is
    important (1HW).
    """

    photo: Tensor
    styles: tuple[Tensor, ...]
    style_maps: tuple[Tensor | None, ...]
    map: Tensor | None
    importance: Tensor | None


class Nst(Translator):
    """A photo in the style of one picture, of several, or of none but a name."""

    spec = SPEC
    batch = 1  # it takes long, and tells how far it has come
    reusable = False  # the weights of VGG-19 are a file of their own
    options: NstOptions

    def __init__(self, options: NstOptions, header: ModelHeader | None) -> None:
        super().__init__(options, header)
        self._ready: tuple[str, Style] | None = None
        self.network = choose_network(options)
        self.looseness = find_looseness(options.strength, options.completeness)
        if any(weight < 0 for weight in options.mix) or (options.mix and not sum(options.mix)):
            raise OptionError(f"nst(mix={list(options.mix)}): weights are 0 or more, and not all of them are 0.")

    def translate(
        self,
        context: Context,
        *,
        image: Tensor,
        style: Tensor | None,
        style2: Tensor | None,
        style3: Tensor | None,
        map: Tensor | None,
        style_map: Tensor | None,
        style2_map: Tensor | None,
        style3_map: Tensor | None,
        importance: Tensor | None,
    ) -> Tensor:
        """Paint N3HW. Styles and maps are N3HW, each of a size of its own; `importance` is N1HW, of the photo's."""
        if style is None and (self.options.style or (style2 is None and style3 is None)):
            style = make_swatch(self.options.style or DEFAULT).to(image).expand(len(image), -1, -1, -1)
        pairs = [(style, style_map), (style2, style2_map), (style3, style3_map)]
        used = [(picture, its_map) for picture, its_map in pairs if picture is not None]
        maps = sum(its_map is not None for _, its_map in pairs)
        if len(used) < maps or (map is None and maps):
            raise ImageError("nst: maps go together: -i map=PATH for the photo, and one for each style that is given.")
        painted = image.clone()
        for index, seed in enumerate(context.seeds):
            styles = tuple(picture[index] for picture, _ in used)
            regions = tuple(_one(its_map, index) for _, its_map in used)
            brief = Brief(image[index], styles, regions, _one(map, index), _one(importance, index))
            painted[index] = self._paint(brief, seed, self._journal(context, painted, index))
        return painted

    def _journal(self, context: Context, painted: Tensor, index: int) -> Journal:
        """Return the journal of one picture of a batch; only a batch of one can be bookmarked."""
        engine = "patch" if self.network is None else f"vgg {self.network.fingerprint}"

        def tell(share: float, sketch: Sketch) -> None:
            whole = (index + share) / len(painted)
            context.progress(whole, lambda: torch.cat([painted[:index], sketch()[None], painted[index + 1 :]]))

        return Journal(tell, context.bookmark if len(painted) == 1 else Bookmark(), engine)

    def _paint(self, brief: Brief, seed: int, journal: Journal) -> Tensor:
        photo, colours, regions = brief.photo, None, None
        if brief.map is not None:
            colours, regions = photo_regions(brief.map, (photo.shape[-2], photo.shape[-1]))
        style, keep = self._style(brief, colours), KEEPING.get(self.options.colours)
        if keep is not None:
            journal = journal.seen_through(partial(keep, photo))
        grey = luma(photo) if self.options.colours == "luminance" else photo
        painted = self._render(grey, style, Maps(regions, self._importance(brief)), seed, journal)
        return painted if keep is None else keep(photo, painted)

    def _importance(self, brief: Brief) -> Tensor:
        """Return how much of the photo is to be kept where: what is asked for, or a guess, which yields to strength."""
        if brief.importance is not None:
            return brief.importance
        return self.looseness.protection * find_importance(brief.photo)

    def _render(self, photo: Tensor, style: Style, maps: Maps, seed: int, journal: Journal) -> Tensor:
        options = self.options
        painter = Painter(style, self.looseness, EFFORTS[options.quality], from_noise=options.start == "noise")
        if self.network is None:
            return painter.paint(photo, seed, maps, journal)
        from artkit_nst.vgg.transfer import begin, plan_schedule, transfer

        start = partial(begin, options.start, photo, painter, maps, seed, journal.prelude(PRELUDE))
        return transfer(self.network, photo, style, start, plan_schedule(options), maps, journal)

    def _style(self, brief: Brief, colours: Tensor | None) -> Style:
        """Make the styles ready, or take what the last photo had, if that is the same."""
        parts = [*brief.styles, *(its_map for its_map in brief.style_maps if its_map is not None)]
        print_ = _fingerprint(parts if colours is None else [*parts, colours])
        if self._ready is None or self._ready[0] != print_:
            self._ready = print_, self._prepare(brief, colours)
        return self._ready[1]

    def _prepare(self, brief: Brief, colours: Tensor | None) -> Style:
        regions: list[Tensor] | list[None] = [None] * len(brief.styles)
        if colours is not None:
            sizes = [(style.shape[-2], style.shape[-1]) for style in brief.styles]
            regions = style_regions(brief.style_maps, sizes, colours)
        warn_of_smallness(brief.photo.shape[-2], brief.photo.shape[-1], self.options.strength)
        for number, style in enumerate(brief.styles):
            warn_of_photo(style, number + 1)
        shares = self._shares(len(brief.styles))
        sources = [Source(*parts) for parts in zip(brief.styles, shares, regions, strict=True)]
        if self.options.colours == "luminance":
            sources = grey_sources(sources)
        return Style([source for source in sources if source.share], self.options.style_scale)

    def _shares(self, count: int) -> list[float]:
        weights = self.options.mix or (1.0,) * count
        if len(weights) != count or not sum(weights):
            written = list(self.options.mix)
            raise OptionError(f"nst(mix={written}) has {len(written)} weights, and there are {count} styles.")
        return [weight / sum(weights) for weight in weights]


def _one(batch: Tensor | None, index: int) -> Tensor | None:
    return None if batch is None else batch[index]


def _fingerprint(parts: list[Tensor]) -> str:
    """Return what tells pictures from others: a hash of all pixels."""
    digest = hashlib.blake2b()
    for part in parts:
        digest.update(repr(tuple(part.shape)).encode())
        digest.update(part.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
