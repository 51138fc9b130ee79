"""`artkit run` on a clip: an animation or a movie, or a folder of frames that becomes one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artkit.chain.arguments import check_steady
from artkit.cli.files import STDOUT, check_format, collect_sources, describe_job, refuse_overwriting
from artkit.cli.output import INTERRUPTED, echo, log, print_json
from artkit.clips.formats import ANIMATION_SUFFIXES, CLIP_SUFFIXES, MOVIE_SUFFIXES, WRITABLE_MOVIE_SUFFIXES
from artkit.engine import Job
from artkit.errors import UsageError
from artkit.files import check_target, make_folder
from artkit.images.formats import WRITABLE_SUFFIXES

if TYPE_CHECKING:
    from artkit.chain import Plan
    from artkit.cli.request import Request
    from artkit.clips import Clip

FPS = 25


@dataclass(frozen=True)
class ClipTask:
    """A clip to turn, how much it is steadied, and where to: a file, or a folder of frames."""

    clip: Clip
    target: Path
    into_folder: bool
    steady: float = 0.0

    def frame(self, index: int) -> Path:
        """Return where a frame goes that stays in a folder: 0001.png is the first."""
        return self.target / f"{index + 1:04}.png"


def find_clip(plan: Plan, request: Request) -> ClipTask | None:
    """Return what to do where a request is about a clip; None where it is about pictures, one by one.

    Raises UsageError for options that have no meaning then, and for a format that holds no clip.
    """
    clip = _open(request)
    if clip is None:
        if request.fps is not None:
            raise UsageError("--fps is for a clip made of a folder of frames: -o NAME.gif, .apng, .webp or .mp4.")
        return None
    if request.count > 1:
        raise UsageError(f"-n makes several pictures of one, and {clip.name} is a clip: run it once for each --seed.")
    steady = plan.steadied(check_steady(request.steady))
    if request.output is not None and _is_folder(request.output):
        return ClipTask(clip, Path(request.output), True, steady)
    methods = "-".join(step.method for step in request.chain)
    path = Path(clip.name)
    suffix = path.suffix.lower()
    suffix = suffix if suffix in ANIMATION_SUFFIXES | WRITABLE_MOVIE_SUFFIXES else ".mp4"
    target = Path(request.output or f"{path.stem}.{methods}{suffix}")
    _check_format(target, plan)
    if target.suffix.lower() in WRITABLE_MOVIE_SUFFIXES:
        from artkit.clips import check_sound

        check_sound(clip, target)
    return ClipTask(clip, target, False, steady)


def _check_format(target: Path, plan: Plan) -> None:
    """Refuse what holds no clip, and movies of label maps; find out whether a movie can be written here."""
    from artkit.clips import need_pyav
    from artkit.spec import Kind

    suffix = target.suffix.lower()
    if str(target) == STDOUT or suffix in WRITABLE_SUFFIXES - ANIMATION_SUFFIXES:
        raise UsageError(f"a movie does not go into {_place(str(target))}: -o NAME.mp4, or -o FOLDER/ for its frames.")
    check_format(target, ANIMATION_SUFFIXES | WRITABLE_MOVIE_SUFFIXES)
    if suffix in WRITABLE_MOVIE_SUFFIXES:
        need_pyav(target)
        if plan.output is Kind.LABELS:
            raise UsageError(f"{target}: label maps do not survive in a movie: -o NAME.apng, or -o FOLDER/.")


def _place(output: str) -> str:
    return "standard output" if output == STDOUT else f"'{Path(output).suffix.lower()}'"


def _open(request: Request) -> Clip | None:
    movies = [text for text in request.inputs if Path(text).suffix.lower() in MOVIE_SUFFIXES]
    if movies and len(request.inputs) > 1:
        raise UsageError(f"{movies[0]} is a movie, and one run turns one movie: give it alone.")
    if movies:
        return _open_movie(Path(movies[0]), request)
    if len(request.inputs) == 1 and Path(request.inputs[0]).suffix.lower() in ANIMATION_SUFFIXES:
        clip = _open_file(Path(request.inputs[0]), request)
        if clip is not None and request.fps is not None:
            raise UsageError(f"{clip.name} says itself how long its frames are shown: leave out --fps.")
        if clip is not None:
            return clip
    return _open_folder(request)


def _open_file(path: Path, request: Request) -> Clip | None:
    """Return the animation in a file, unless the result is to be one picture."""
    from artkit.clips import open_animation

    clip = open_animation(path) if path.is_file() else None
    if clip is None or request.output is None or _is_folder(request.output):
        return clip
    if request.output == STDOUT or Path(request.output).suffix.lower() in WRITABLE_SUFFIXES - ANIMATION_SUFFIXES:
        log(f"{path} has {clip.count} frames, and {_place(request.output)} takes one: the first.")
        return None
    return clip


def _open_movie(path: Path, request: Request) -> Clip:
    from artkit.clips import open_movie

    collect_sources(request.inputs, None, bytes)  # which says where nothing is
    if request.fps is not None:
        raise UsageError(f"{path} says itself when its frames are shown: leave out --fps.")
    return open_movie(path)


def _open_folder(request: Request) -> Clip | None:
    """Return the frames that inputs are, where an animation is to be made of them."""
    if not request.inputs or request.output is None or _is_folder(request.output):
        return None
    several = len(request.inputs) > 1 or os.path.isdir(request.inputs[0])
    suffix = Path(request.output).suffix.lower()
    if not (suffix in CLIP_SUFFIXES or (several and suffix == ".webp")):
        return None
    from artkit.clips import StillClip

    sources = [source for source, _ in collect_sources(request.inputs, request.output, bytes)]
    files = [source for source in sources if isinstance(source, Path)]
    if len(files) < len(sources):
        raise UsageError(f"{request.output} would be a clip, and standard input is one picture: give files.")
    files = [file for file in files if file.resolve() != Path(request.output).resolve()]  # what an earlier run made
    if len(files) < 2:
        raise UsageError(f"{request.output} would be a clip, and one picture is none: name a .png instead.")
    return StillClip(os.path.commonpath(files), files, Fraction(request.fps or FPS).limit_denominator(100_000))


def _is_folder(output: str) -> bool:
    return output.endswith(("/", os.sep)) or os.path.isdir(output)


def run_clip(task: ClipTask, plan: Plan, request: Request) -> int:
    """Turn a clip and return the exit code. Raises the error of a frame that fails."""
    request = replace(request, steady=task.steady)
    job = Job(task.clip.file, task.target, request.seed, Path(Path(task.clip.name).name))
    done = _count_done(task, plan, request, job)
    if done is None:
        log(f"{task.target} is there already.")
        return 0
    _check_places(task, request, plan, done)
    if request.dry_run:
        _print_plan(task, plan, request, job)
        return 0
    return _execute(task, plan, request, job, done)


def _count_done(task: ClipTask, plan: Plan, request: Request, job: Job) -> int | None:
    """Return how many frames are there already of a run that goes on in its folder; None where nothing is to do."""
    if not request.skip_existing:
        return 0
    from artkit.cli.skipping import skip_existing

    if not task.into_folder:
        return 0 if skip_existing([job], plan, request) else None
    frames = 0
    while task.frame(frames).exists():
        frames += 1
    kept = [replace(job, target=task.frame(index)) for index in range(frames)]
    missing = {left.target for left in skip_existing(kept, plan, request)} if kept else set()
    done = next((index for index in range(frames) if task.frame(index) in missing), frames)
    return None if done == task.clip.count else done


def _check_places(task: ClipTask, request: Request, plan: Plan, done: int) -> None:
    """Refuse to overwrite, before anything is computed."""
    inputs = [Path(text) for text in request.inputs]
    if task.into_folder:
        refuse_overwriting([task.frame(done)], [*inputs, *plan.files()], overwrite=request.overwrite)
        return
    overwrite = request.overwrite or request.skip_existing
    refuse_overwriting([task.target], [*inputs, *plan.files()], overwrite=overwrite)
    check_target(task.target, overwrite)


def _print_plan(task: ClipTask, plan: Plan, request: Request, job: Job) -> None:
    if request.as_json:
        print_json({"plan": plan.as_json(), "results": [_describe(task, job)]})
        return
    for line in plan.describe():
        echo(line)
    clip = task.clip
    frames = f"about {clip.guess} frames" if clip.count is None and clip.guess else f"{clip.count or 'some'} frames"
    echo(f"{clip.name} ({frames}) -> {task.target}{os.sep if task.into_folder else ''}")


def _describe(task: ClipTask, job: Job) -> dict[str, Any]:
    return describe_job(job) | {"input": task.clip.name, "frames": task.clip.count}


def _execute(task: ClipTask, plan: Plan, request: Request, job: Job, done: int) -> int:
    """Make the frames, and the clip of them; after Ctrl-C or a failure the same command goes on at the frame."""
    from artkit.cli.delivery import ClipDelivery, ready_runner
    from artkit.cli.progress import progress
    from artkit.engine import ClipRun, Workplace, describe_run

    runner = ready_runner(plan, request)
    if task.into_folder:
        make_folder(task.target)
    if request.keep_steps:
        make_folder(request.keep_steps)
    digest = task.clip.digest
    workplace = None
    if not task.into_folder:
        note = describe_run(runner, task.clip, request.seed, request.size, task.steady)
        is_movie = task.target.suffix.lower() in WRITABLE_MOVIE_SUFFIXES
        workplace = Workplace(task.target, note, partial(_pack, task.clip) if is_movie else None)
        done = workplace.done
    if done:
        log(f"going on behind frame {done} of {task.clip.name}.")
    made = ClipRun(
        runner,
        task.clip,
        workplace.frame if workplace else task.frame,
        done=done,
        digest=digest,
        seed=request.seed,
        size=request.size,
        overwrite=request.overwrite or workplace is not None,
        workplace=workplace,
        steady=task.steady,
    )
    total = task.clip.count or task.clip.guess
    left = None if total is None else max(total - done, 1)
    with progress(str(request.chain), total=left, hidden=request.show) as bar:
        delivery = ClipDelivery(request, bar, _describe(task, job))
        try:
            for result in made.frames():
                delivery.accept(result)
        except KeyboardInterrupt:
            log(f"stopped behind frame {done + delivery.frames} of {task.clip.name}: {_again(task)}")
            return INTERRUPTED
    if workplace is not None:
        made.write(task.target, overwrite=request.overwrite or request.skip_existing)
    delivery.finish(device=str(runner.device), precision=runner.precision, frames=len(made.seconds))
    return 0


def _pack(clip: Clip, frames: Sequence[Path], piece: Path) -> None:
    from artkit.clips import look_of, pack_piece

    pack_piece(frames, piece, look_of(clip))


def _again(task: ClipTask) -> str:
    return f"the same command{' with --skip-existing' if task.into_folder else ''} goes on from there."
