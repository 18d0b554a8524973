"""The line that says how hearts are decoded."""

import pytest

from napari_latent_explorer._qt.decoder_line import SLOWER, QtDecoderLine
from napari_latent_explorer._qt.theme import DARK


class Decoder:
    """Decodes shapes, and says how."""

    def __init__(self, decode_shapes) -> None:
        self.decode_shapes, self.description, self.failure = decode_shapes, "", ""

    def n_together(self, bundle):
        return 1

    def __call__(self, bundle, vectors):
        return [self.decode_shapes(bundle, vector) for vector in vectors]


@pytest.fixture
def decoder(explorer, shapes_decoder):
    explorer.decode._decoder = decoder = Decoder(shapes_decoder)
    return decoder


def move(qtbot, explorer, value):
    with qtbot.waitSignal(explorer.decode.decoded, timeout=5_000):
        explorer.probe.move(0, value)


def test_the_line_says_how_hearts_are_decoded_once_that_is_known(qtbot, explorer, decoder):
    line = QtDecoderLine(explorer)
    qtbot.addWidget(line)
    move(qtbot, explorer, 1.0)
    assert line.isHidden()
    decoder.description = "bfloat16 on the CPU, 29 ms"
    move(qtbot, explorer, 2.0)
    assert not line.isHidden()
    assert line.text() == "Decodes in bfloat16 on the CPU, 29 ms"


def test_a_device_that_was_given_up_is_seen_and_told_of_once(qtbot, explorer, decoder):
    line = QtDecoderLine(explorer)
    qtbot.addWidget(line)
    warnings = []
    explorer.warning_raised.connect(warnings.append)
    decoder.description, decoder.failure = "", "The <b>card</b> is gone."
    move(qtbot, explorer, 1.0)
    move(qtbot, explorer, 2.0)
    assert line.text() == SLOWER
    assert "&lt;b&gt;card" in line.toolTip()
    assert DARK.warning in line.styleSheet()
    qtbot.waitUntil(lambda: warnings == ["The <b>card</b> is gone."], timeout=2_000)
