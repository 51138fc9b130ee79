"""Methods by meaning: what people call the things that methods do, looked up in the methods' names and summaries."""

from __future__ import annotations

import re
from collections.abc import Iterable

from artkit.spec import MethodSpec

SYNONYMS = {
    "bw|black_and_white|decolo(u)?ri[sz]e|desaturate|gr[ae]y(scale)?|monochrome": ("colours out",),
    "enlarge|hires|super_?resolution|supersample|sr|up(scale|size|sample|scaling)": ("enlarge", "larger"),
    "downs(cale|ample)|downsize|scale|shrink|thumbnail": ("smaller",),
    "colou?r(i[sz]e|ing)?|recolou?r": ("learned from pairs", "colours of another"),
    "contrast|equali[sz]e|histogram|levels": ("dark and light", "histograms"),
    "bright(en|ness)?|darken|exposure|lighten": ("lighter or darker",),
    "canny|line_?art|outlines?|sketch": ("edges",),
    "label(s)?|parse|segment(ation)?|semantic(s)?": ("as a label map", "nearest in colour"),
    "clean(up)?|enhance|fix|improve|repair|restor(e|ation)|retouch": ("correct", "noise away"),
    "noise|noisy": ("noise away",),
    "smooth(en)?|soft(en)?|gaussian": ("blur", "noise away"),
    "create|generate|imagine|invent|random|sample": ("dream",),
    "paint(erly)?|styli[sz]e|style(_?transfer)?|neural_?style": ("style of a picture", "painting"),
    "image_?to_?image|img2img|translate|translation": ("translate",),
    "composite|mix|combine": ("mix",),
    "border|frame": ("border",),
    "cut|trim": ("cut",),
    "posteri[sz]e|quanti[sz]e|palette": ("levels of each colour", "nearest in colour"),
    "turn": ("turn",),
}
"""Patterns of words that people type for a method, and phrases that stand in the summaries of such methods."""


def by_meaning(word: str, specs: Iterable[MethodSpec]) -> list[str]:
    """Return the names of methods that do what `word` means, the nearest first; none where nothing is known of it."""
    word = word.lower().replace("-", "_")
    phrases = next((found for pattern, found in SYNONYMS.items() if re.fullmatch(pattern, word)), ())
    if not phrases and len(word) > 3:
        phrases = (word.replace("_", " "),)
    texts = {spec.name: f"{spec.name}: {spec.summary}".lower() for spec in specs}
    found = [
        name
        for phrase in phrases
        for name, text in sorted(texts.items())
        if re.search(rf"\b{re.escape(phrase)}\b", text)
    ]
    return list(dict.fromkeys(found))[:3]
