"""Words of an SVG as shapes, so that they look the same where our fonts are not.

Qt writes each run of letters as a ``text`` element with its place and font. Here it becomes a ``path`` in the same
place, filled with the same colour; what it said stays in its ``aria-label``, for those who listen.
"""

from xml.etree import ElementTree

from qtpy.QtCore import QPointF
from qtpy.QtGui import QFont, QPainterPath, QTransform

SVG = "http://www.w3.org/2000/svg"
DESIGN_PX = 200
"""Letters are taken from this size and made smaller, for Qt knows whole pixels only and would round."""
_KEPT = ("fill", "fill-opacity", "transform")


def outline_words(root: ElementTree.Element) -> None:
    """Put shapes in the place of all ``text`` elements below an SVG's root."""
    for parent in list(root.iter()):
        for place, child in enumerate(list(parent)):
            if child.tag == f"{{{SVG}}}text":
                parent[place] = _outlined(child)


def _outlined(text: ElementTree.Element) -> ElementTree.Element:
    said = "".join(text.itertext())
    path = QPainterPath()
    path.addText(QPointF(0.0, 0.0), _font_of(text), said)
    scale = float(text.get("font-size", 0.0)) / DESIGN_PX
    place = QTransform.fromTranslate(float(text.get("x", 0.0)), float(text.get("y", 0.0))).scale(scale, scale)
    kept = {name: value for name, value in text.attrib.items() if name in _KEPT}
    shape = ElementTree.Element(f"{{{SVG}}}path", kept | {"d": path_data(place.map(path)), "stroke": "none"})
    shape.set("fill-rule", "nonzero")
    shape.set("aria-label", said.strip())
    shape.tail = text.tail
    return shape


def _font_of(text: ElementTree.Element) -> QFont:
    font = QFont(text.get("font-family", ""))
    font.setPixelSize(DESIGN_PX)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    font.setWeight(QFont.Weight(int(text.get("font-weight", 400))))
    font.setItalic(text.get("font-style") == "italic")
    return font


def path_data(path: QPainterPath) -> str:
    """Write a path as SVG does."""
    parts, number = [], 0
    while number < path.elementCount():
        element = path.elementAt(number)
        if element.isCurveTo():
            ends = [element, path.elementAt(number + 1), path.elementAt(number + 2)]
            parts.append("C" + " ".join(f"{end.x:.2f},{end.y:.2f}" for end in ends))
            number += 3
        else:
            parts.append(f"{'M' if element.isMoveTo() else 'L'}{element.x:.2f},{element.y:.2f}")
            number += 1
    return "".join(parts)
