"""Figures as files: PNG at a resolution of choice, or SVG whose words are shapes; both say where they come from.

What a figure shows and what it was made of is in the file itself: as text chunks of the PNG, as title, description and
Dublin Core metadata of the SVG. Files appear whole or not at all.
"""

from collections.abc import Generator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from qtpy.QtCore import QBuffer, QIODevice, QRect, QSize
from qtpy.QtGui import QImage, QImageWriter, QPainter

from napari_latent_explorer._qt.figure import PAPER, Figure
from napari_latent_explorer._qt.figure_outlines import SVG, outline_words
from napari_latent_explorer.data.progress import Progress
from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.io.atomic import write_file

PX_PER_INCH = 96
RESOLUTIONS_PER_INCH = (150, 300, 600)
DEFAULT_PER_INCH = 300
_INCH_M = 0.0254
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_CREATIVE_COMMONS = "http://creativecommons.org/ns#"
_XLINK = "http://www.w3.org/1999/xlink"
_PREFIXES = {"": SVG, "xlink": _XLINK, "dc": _DUBLIN_CORE, "rdf": _RDF, "cc": _CREATIVE_COMMONS}


def check_kind(path: Path) -> None:
    """Raise LatentExplorerError unless a file of that name is one that figures can be written to."""
    if path.suffix.lower() not in (".png", ".svg"):
        raise LatentExplorerError(f"A figure can be written as .png or .svg, not as {path.name}. Choose such a name.")


def write_figure(
    figure: Figure, path: Path, provenance: Mapping[str, str], per_inch: int = DEFAULT_PER_INCH
) -> Generator[Progress, None, Path]:
    """Write a figure; by its ending it becomes a PNG or an SVG.

    Parameters
    ----------
    figure
        What to paint.
    path
        The file.
    provenance
        Where it comes from, e.g. of `session.provenance.provenance_of`.
    per_inch
        Pixels of a PNG per inch.

    Yields
    ------
    Progress
        Before it is painted, and before it is written.

    Raises
    ------
    LatentExplorerError
        When the ending is another one, or the file cannot be written (StudyError).
    """
    check_kind(path)
    facts = {"Title": figure.title, **figure.facts, **provenance}
    yield Progress(0, 2, f"Painting {path.name}")
    content = to_svg(figure, facts) if path.suffix.lower() == ".svg" else to_png(figure, facts, per_inch)
    yield Progress(1, 2, f"Writing {path.name}")
    write_file(path, content)
    return path


def to_png(figure: Figure, facts: Mapping[str, str], per_inch: int) -> bytes:
    """Paint a figure as PNG, on any thread."""
    scale = per_inch / PX_PER_INCH
    image = QImage(QSize(*figure.size_px) * scale, QImage.Format.Format_RGB32)
    image.setDotsPerMeterX(round(per_inch / _INCH_M))
    image.setDotsPerMeterY(round(per_inch / _INCH_M))
    image.fill(PAPER)
    painter = QPainter(image)
    painter.scale(scale, scale)
    figure.paint(painter)
    painter.end()
    for fact, words in facts.items():
        image.setText(fact, words)
    buffer = _open_buffer()
    QImageWriter(buffer, b"png").write(image)
    return bytes(buffer.data().data())


def to_svg(figure: Figure, facts: Mapping[str, str]) -> bytes:
    """Paint a figure as SVG, on any thread; its words become shapes."""
    from qtpy.QtSvg import QSvgGenerator

    width, height = figure.size_px
    buffer, generator = _open_buffer(), QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(PX_PER_INCH)
    generator.setSize(QSize(width, height))
    generator.setViewBox(QRect(0, 0, width, height))
    painter = QPainter(generator)
    painter.fillRect(QRect(0, 0, width, height), PAPER)
    figure.paint(painter)
    painter.end()
    root = ElementTree.fromstring(bytes(buffer.data().data()))
    outline_words(root)
    _describe(root, facts)
    for prefix, space in _PREFIXES.items():
        ElementTree.register_namespace(prefix, space)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _open_buffer() -> QBuffer:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer


def _describe(root: ElementTree.Element, facts: Mapping[str, str]) -> None:
    """Say in the file what Qt says of itself there: title, description, and metadata in Dublin Core's words."""
    described = "\n".join(f"{fact}: {words}" for fact, words in facts.items() if fact != "Title")
    for name, words in (("title", facts["Title"]), ("desc", described)):
        element = root.find(f"{{{SVG}}}{name}")
        if element is None:
            element = ElementTree.Element(f"{{{SVG}}}{name}")
            root.insert(0, element)
        element.text = words
    metadata = ElementTree.SubElement(root, f"{{{SVG}}}metadata")
    rdf = ElementTree.SubElement(metadata, f"{{{_RDF}}}RDF")
    work = ElementTree.SubElement(rdf, f"{{{_CREATIVE_COMMONS}}}Work")
    said = {"title": facts["Title"], "date": facts.get("Date", ""), "creator": facts.get("Program", "")}
    for name, words in (said | {"source": facts.get("Study", ""), "description": described}).items():
        ElementTree.SubElement(work, f"{{{_DUBLIN_CORE}}}{name}").text = words
