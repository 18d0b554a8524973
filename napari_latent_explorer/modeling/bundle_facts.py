"""What ``metadata.json`` says of networks, read entry by entry; each that is missing or wrong is named."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from napari_latent_explorer.errors import BundleError, shown_text
from napari_latent_explorer.io.lead_names import standard_lead_name

_INPUTS = "network_data_format.inputs"
_LABELS = "network_data_format.outputs.labels.channel_def"


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """Entries of a metadata file, by their names with dots between.

    Attributes
    ----------
    path
        The file, for people.
    values
        Its contents.
    """

    path: Path
    values: Mapping[str, Any]

    def mapping_at(self, name: str) -> Mapping[str, Any]:
        """Object at an entry.

        Raises
        ------
        BundleError
            When there is none, as in all methods here.
        """
        value = self._at(name)
        if not isinstance(value, Mapping):
            raise self._wrong(name, value, "an object")
        return value

    def size_at(self, name: str, most: int) -> int:
        """Whole number from 1 to `most` at an entry."""
        value = self._at(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise self._wrong(name, value, f"a whole number from 1 to {most}")
        return value

    def shape_of(self, modality: str, n_sizes: int, most_values: int) -> tuple[int, ...]:
        """Shape of a modality's input without the batch: channels and `n_sizes` - 1 axes of space or time."""
        n_channels = self.size_at(f"{_INPUTS}.{modality}.num_channels", most_values)
        name = f"{_INPUTS}.{modality}.spatial_shape"
        sizes = self._at(name)
        is_shape = isinstance(sizes, list) and all(type(size) is int and 1 <= size <= most_values for size in sizes)
        if not is_shape or len(sizes) != n_sizes - 1 or n_channels * prod(sizes) > most_values:
            expected = f"{n_sizes - 1} whole numbers from 1 on, at most {most_values} values in all"
            raise self._wrong(name, sizes, expected)
        return (n_channels, *sizes)

    def leads(self, n_leads: int) -> tuple[str, ...]:
        """Leads that the ECG network takes and gives, in its order."""
        name = f"{_INPUTS}.ecg.channel_def"
        stated = self.mapping_at(name)
        if len(stated) != n_leads or any(not isinstance(stated.get(str(number)), str) for number in range(n_leads)):
            raise self._wrong(name, dict(stated), f"the name of each of {n_leads} leads, from '0' on")
        return tuple(standard_lead_name(stated[str(number)]) for number in range(n_leads))

    def label_names(self) -> dict[int, str]:
        """Name of each label value, in the order of the class numbers."""
        stated = self.mapping_at(_LABELS)
        if not stated or not set(stated) <= {str(value) for value in range(256)}:
            raise self._wrong(_LABELS, dict(stated), "the name of each label value from '0' to '255'")
        return {int(value): shown_text(str(name), 80) for value, name in stated.items()}

    def check_kinds(self) -> None:
        """Look at what other parts of the program rely on, where it is there."""
        for name, kind, expected in (("warning", str, "a text"), ("training", Mapping, "an object")):
            if self.values.get(name) is not None and not isinstance(self.values[name], kind):
                raise self._wrong(name, self.values[name], expected)

    def _at(self, name: str) -> Any:
        value: Any = self.values
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def _wrong(self, name: str, found: object, expected: str) -> BundleError:
        shown = "missing" if found is None else shown_text(repr(found), 80)
        return BundleError(
            f"{self.path} does not say what the networks take and give: {name} is {shown}, expected {expected}."
        )
