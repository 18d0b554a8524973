"""A curve of many points for Qt to draw, handed over at once.

Making a `QPointF` per point takes longer than drawing it. Qt reads a polygon from a stream of bytes, big-endian: the
number of points as 32 bits, then x and y of each as doubles (QDataStream, serialisation of Qt's data types).
"""

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QByteArray, QDataStream
from qtpy.QtGui import QPolygonF

FLAT_PX = 0.02
LONGEST_GAP = 8


def bent(x: NDArray[np.floating], y: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the points at which an evenly sampled curve bends, and each eighth: the line moves by a sixth of a pixel.

    A wide line costs Qt by its points, and most of an ECG is straight. Between points left out the second difference is
    under 0.02 pixels, so over a gap of 8 a chord strays by no more than 0.02 x 8 x 8 / 8.
    """
    is_kept = np.arange(len(y)) % LONGEST_GAP == 0
    is_kept[1:-1] |= np.abs(np.diff(y, 2)) > FLAT_PX
    is_kept[-1:] = True
    return x[is_kept], y[is_kept]


def make_polyline(x: NDArray[np.floating], y: NDArray[np.floating]) -> QPolygonF:
    """Make Qt's polygon of the points ``x`` and ``y``, each ``(n_points,)`` in pixels."""
    points = np.stack([x, y], axis=1).astype(">f8")
    stream = QDataStream(QByteArray(len(points).to_bytes(4, "big") + points.tobytes()))
    polygon = QPolygonF()
    stream >> polygon
    return polygon
