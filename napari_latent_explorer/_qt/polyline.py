"""A curve of many points for Qt to draw, handed over at once.

Making a `QPointF` per point takes longer than drawing it. Qt reads a polygon from a stream of bytes, big-endian: the
number of points as 32 bits, then x and y of each as doubles (QDataStream, serialisation of Qt's data types).
"""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QByteArray, QDataStream
from qtpy.QtGui import QPolygonF


def make_polyline(x: NDArray[np.floating], y: NDArray[np.floating]) -> QPolygonF:
    """Make Qt's polygon of the points ``x`` and ``y``, each ``(n_points,)`` in pixels."""
    points = np.stack([x, y], axis=1).astype(">f8")
    stream = QDataStream(QByteArray(len(points).to_bytes(4, "big") + points.tobytes()))
    polygon = QPolygonF()
    stream >> polygon
    return polygon
