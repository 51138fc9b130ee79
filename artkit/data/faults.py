"""What is wrong with one split of a folder of data, a line a fault, at most 20 lines of a sort."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from artkit.data.folder import FolderDataset
from artkit.data.inspecting import Facts
from artkit.data.labels import find_void
from artkit.data.layouts.names import LABELS
from artkit.spec import Kind

MAX_LISTED = 20
MAX_NAMED = 5
OFF_PALETTE = 0.0005  # a share of pixels too small to matter

Columns = Mapping[str, Mapping[str, Facts]]


def find_faults(dataset: FolderDataset, inspected: Columns) -> list[str]:
    """Return the faults of a split whose files have been looked into."""
    found = list_some(_unreadable(inspected), "unreadable files")
    found += list_some(_lonely(dataset), "without partners")
    found += list_some(_unequal(dataset, inspected), "of unequal sizes")
    found += list_some(dataset.table.left_out, "left out")
    found += list_some(_captions(dataset), "about captions")
    for name in dataset.table.columns:
        facts = [facts for facts in inspected[name].values() if not facts.error]
        found += [f"{name} ({dataset.split}): {words}" for words in _column_faults(dataset, name, facts)]
    return found


def list_some(lines: Iterable[str], sort: str) -> list[str]:
    """Return the first `MAX_LISTED` lines, and how many more there are."""
    listed = list(lines)
    more = len(listed) - MAX_LISTED
    return listed if more <= 0 else [*listed[:MAX_LISTED], f"... and {more} more {sort}"]


def _unreadable(inspected: Columns) -> list[str]:
    return sorted({facts.error for files in inspected.values() for facts in files.values()} - {""})


def _lonely(dataset: FolderDataset) -> Iterator[str]:
    for key, missing in dataset.lonely.items():
        yield f"{key} has no partner in {', '.join(missing)} ({dataset.split})"


def _unequal(dataset: FolderDataset, inspected: Columns) -> Iterator[str]:
    if dataset.unpaired:
        return
    for key in dataset.stems:
        facts = {name: files[key] for name, files in inspected.items() if key in files}
        sizes = {name: found.size for name, found in facts.items() if not found.error}
        if len(set(sizes.values())) > 1:
            described = ", ".join(f"{name} {width}x{height}" for name, (width, height) in sizes.items())
            yield f"{key}: its pictures differ in size: {described}"


def _captions(dataset: FolderDataset) -> Iterator[str]:
    yield from (f"{name} has a row of captions and no picture" for name in dataset.unfound)
    yield from (f"{key} has no row of captions ({dataset.split})" for key in dataset.uncaptioned)


def _column_faults(dataset: FolderDataset, name: str, facts: list[Facts]) -> Iterator[str]:
    column = dataset.columns[name]
    yield from _mixed_families(facts)
    if column.kind is Kind.LABELS and column.classes is not None:
        yield from _strays(facts, find_void(column.classes))
        yield from _off_palette(facts)
    elif name.lower() in LABELS and facts and all(found.family == "grey" for found in facts):
        yield "these look like class indices, and no classes.txt (index name R G B a line) says what they mean"


def _mixed_families(facts: list[Facts]) -> Iterator[str]:
    families = defaultdict(list)
    for found in facts:
        families[found.family].append(found)
    usual = max(families, key=lambda family: len(families[family]), default="")
    for family, members in families.items():
        if family != usual:
            yield f"{len(members)} of {len(facts)} are {family} among {usual}: {_names(members)}"


def _strays(facts: list[Facts], void: int | None) -> Iterator[str]:
    members = [found for found in facts if found.strays]
    if members and void is None:
        pixels = Counter[int]()
        for found in members:
            pixels.update(found.strays)
        ids = ", ".join(map(str, islice(sorted(pixels), MAX_NAMED))) + (", ..." if len(pixels) > MAX_NAMED else "")
        share = sum(pixels.values()) / sum(found.size[0] * found.size[1] for found in facts)
        strange = f"classes that classes.txt does not have ({ids}; {share:.2%} of all pixels)"
        yield f"{len(members)} of {len(facts)} hold {strange}: {_names(members)}"


def _off_palette(facts: list[Facts]) -> Iterator[str]:
    members = sorted(
        (found for found in facts if found.off_palette > OFF_PALETTE), key=lambda found: -found.off_palette
    )
    if members:
        shares = sum(found.off_palette for found in facts) / len(facts)
        worst = f"{members[0].path.name} {members[0].off_palette:.1%}"
        yield (
            f"{len(members)} of {len(facts)} hold colours of no class ({shares:.1%} of all pixels, at most {worst}); "
            "each such pixel gets the nearest class"
        )


def _names(members: list[Facts]) -> str:
    names = ", ".join(found.path.name for found in members[:MAX_NAMED])
    return names + (f" and {len(members) - MAX_NAMED} more" if len(members) > MAX_NAMED else "")
