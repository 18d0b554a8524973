"""A path as a movie: the heart beats while it goes from one end to the other.

The hard idea is to need no memory for it: each picture is decoded, painted and handed to the encoder before the next,
and the file gets its name when it is whole. An mp4 needs ffmpeg, which imageio-ffmpeg brings for most machines; where
there is none, a gif is written beside.
"""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QImage

from napari_latent_explorer._qt.path_picture import HEIGHT_PX, N_VALUES, WIDTH_PX, PathPicture
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.io.atomic import partial_path, refusals_named, write_file
from napari_latent_explorer.session.decode_service import DecodeOutcome
from napari_latent_explorer.session.explorer import Explorer
from napari_latent_explorer.session.path import ProbePath
from napari_latent_explorer.session.path_choice import PathEnd
from napari_latent_explorer.session.path_survey import PathCurves
from napari_latent_explorer.session.provenance import provenance_of

WALK_S, HOLD_S = 8.0, 1.0
"""On the way, and at each end."""
MP4_FPS, GIF_FPS = 25, 10
GIF_WIDTH_PX = 640
MP4, GIF = ".mp4", ".gif"
_END_WORDS = {"participant": "a participant", "point": "a place in latent space"}


@dataclass(frozen=True, slots=True, eq=False)
class PathMovieRequest:
    """All that a movie is made of.

    Attributes
    ----------
    path
        What is gone along.
    titles
        What its ends are called.
    shown
        Names of the phenotypes whose predictions are written.
    about
        Where it comes from.
    cycle_ms
        Length of the heart cycle.
    decode
        From a share of the way to what is there; called on the job's thread.
    walk_s
        How long the way takes.
    """

    path: ProbePath
    titles: tuple[str, str]
    shown: tuple[str, ...]
    about: str
    cycle_ms: float
    decode: Callable[[float], DecodeOutcome]
    walk_s: float = WALK_S


def path_movie_request(explorer: Explorer, curves: PathCurves | None, cycle_ms: float) -> PathMovieRequest:
    """Freeze what the movie of the path of now needs.

    Raises
    ------
    LatentExplorerError
        When no path is chosen, or there is no model to draw hearts with.
    """
    path, ends, bundle, predictors = explorer.probe_path, explorer.path.ends, explorer.bundle, explorer.predictors
    if path is None or ends is None or bundle is None:
        lacking = "no path is chosen" if path is None else "there is no model to draw its hearts with"
        raise LatentExplorerError(
            f"The path cannot be saved as a movie: {lacking}. Choose both ends with a model open."
        )
    order = curves.by_change()[:N_VALUES].tolist() if curves is not None else []
    shown = tuple(curves.targets[target].name for target in order) if curves is not None else ()
    facts, study = provenance_of(explorer.state), explorer.study.name if explorer.study is not None else ""
    origin = f"Study {study!a}, latents of {facts['Latents']}. {facts['Program']}"
    about = f"Hearts, ECG and predictions of a model, no recordings. {origin}"
    service = explorer.decode

    def decode(share: float) -> DecodeOutcome:
        return service.decode_and_wait(path.main.at(share), path.seen_at(share), bundle, predictors)

    return PathMovieRequest(path, titles_of(ends), shown, about, cycle_ms, decode)


def titles_of(ends: tuple[PathEnd, PathEnd]) -> tuple[str, str]:
    """Call the ends of a path so that no participant is named."""
    start, end = (_END_WORDS.get(one.kind, one.name) for one in ends)
    return start, end


def write_path_movie(goal: Path, request: PathMovieRequest) -> Generator[Progress, None, Path]:
    """Write the movie as mp4, or as gif if the goal is called so or there is no ffmpeg.

    Returns
    -------
    Path
        What was written.

    Yields
    ------
    Progress
        Before each picture.

    Raises
    ------
    StudyError
        When the place cannot be written.
    """
    if goal.suffix.lower() == MP4 and has_ffmpeg():
        yield from _write_mp4(goal, request)
        return goal
    goal = goal.with_suffix(GIF)
    yield from _write_gif(goal, request)
    return goal


def has_ffmpeg() -> bool:
    """Whether movies can be written as mp4 here."""
    try:
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        return False
    return True


def _write_mp4(goal: Path, request: PathMovieRequest) -> Generator[Progress, None, None]:
    import imageio_ffmpeg

    partial = partial_path(goal)
    with refusals_named(goal, 0):
        goal.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.touch()
            writer: Any = imageio_ffmpeg.write_frames(
                str(partial),
                (WIDTH_PX, HEIGHT_PX),
                fps=MP4_FPS,
                codec="libx264",
                macro_block_size=2,
                output_params=["-f", "mp4", "-movflags", "+faststart"],
            )
            n_pictures = 0
            with closing(writer):
                writer.send(None)
                for progress, image in _pictures(request, MP4_FPS):
                    yield progress
                    writer.send(np.ascontiguousarray(_pixels(image)))
                    n_pictures += 1
            _check_whole(partial, n_pictures)
            partial.replace(goal)
        finally:
            partial.unlink(missing_ok=True)


def _check_whole(movie: Path, n_pictures: int) -> None:
    """Raise OSError unless a movie has so many pictures: the encoder does not tell when it could not finish."""
    import imageio_ffmpeg

    try:
        n_written, _ = imageio_ffmpeg.count_frames_and_secs(str(movie))
    except RuntimeError as error:
        raise OSError(f"the encoder wrote no movie ({error})") from error
    if n_written != n_pictures:
        raise OSError(f"the encoder wrote {n_written} of {n_pictures} pictures")


def _write_gif(goal: Path, request: PathMovieRequest) -> Generator[Progress, None, None]:
    from PIL import Image

    height = round(HEIGHT_PX * GIF_WIDTH_PX / WIDTH_PX)
    frames = []
    for progress, image in _pictures(request, GIF_FPS):
        yield progress
        small = Image.fromarray(_pixels(image)).resize((GIF_WIDTH_PX, height))
        frames.append(small.convert("P", palette=Image.Palette.ADAPTIVE))
    stream = BytesIO()
    frames[0].save(
        stream, "GIF", save_all=True, append_images=frames[1:], duration=1000 // GIF_FPS, loop=0, optimize=False
    )
    write_file(goal, stream.getvalue())


def _pictures(request: PathMovieRequest, fps: int) -> Generator[tuple[Progress, QImage], None, None]:
    """Paint one picture after the other; the heart beats on while it rests at the ends."""
    n_hold, n_walk = round(HOLD_S * fps), max(2, round(request.walk_s * fps))
    shares = np.concatenate([np.zeros(n_hold), np.linspace(0.0, 1.0, n_walk), np.ones(n_hold)]).tolist()
    outcome = start = request.decode(0.0)
    picture = PathPicture(request.titles, start, request.decode(1.0), request.shown, request.about)
    before = 0.0
    for number, share in enumerate(shares):
        if share != before:
            outcome, before = request.decode(share), share
        phase = (1000.0 * number / fps / request.cycle_ms) % 1.0
        image = picture.paint(outcome, share, phase)
        yield Progress(number, len(shares), f"Picture {number + 1} of {len(shares)}"), image


def _pixels(image: QImage) -> NDArray[np.uint8]:
    """Red, green and blue ``(n_rows, n_columns, 3)`` of a picture."""
    bits: Any = image.constBits()
    raw = bits.asstring(image.sizeInBytes()) if hasattr(bits, "asstring") else bytes(bits)
    rows = np.frombuffer(raw, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)
