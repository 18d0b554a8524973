"""``model_card.md``: what a bundle was made from, what it is for, where it ends, and how it scored.

Everything is taken from the bundle's own metadata and from one evaluation, so a card cannot say more than was measured.

References
----------
Mitchell et al., "Model cards for model reporting", FAT* 2019: the headings.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from napari_latent_explorer._cli.scores import scores_page
from napari_latent_explorer.data.phenotype import PhenotypeSpec

if TYPE_CHECKING:
    from napari_latent_explorer.modeling.evaluation import EvaluationResult
    from napari_latent_explorer.modeling.trained_model import TrainedModel

_SETTINGS = (
    "preset", "seed", "train_fraction", "valid_fraction", "epochs_mri", "epochs_ecg", "epochs_joint", "epochs_labels",
    "max_minutes", "contrastive", "fusion", "reconstruction",
)  # fmt: skip

_HOLDS = {"no": "A finding of the paper that does not hold", "in part": "A finding of the paper that holds in part"}


def model_card(
    model: "TrainedModel", study_name: str, result: "EvaluationResult", specs: Mapping[str, PhenotypeSpec]
) -> str:
    """Markdown about one model, scored on one study."""
    sections = {
        "Model": _model(model),
        "Training data": _data(model),
        "Training": _training(model),
        "Intended use": str(model.metadata.get("intended_use") or "Not stated.") + " Not for clinical use.",
        "Limits": _limits(model, result.tables),
        f"Scores on held-out people of the study {study_name!r}": scores_page(result, specs).strip(),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# Model card: {model.metadata.get('name') or 'unnamed model'}\n\n{body}\n"


def _list(entries: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in entries.items() if value not in (None, "", ()))


def _model(model: "TrainedModel") -> str:
    network = getattr(model, "network", None)
    n_parameters = None if network is None else f"{sum(p.numel() for p in network.parameters()):,}"
    entries = {
        "task": model.metadata.get("task"),
        "latent dimensions": model.latent_dim,
        "parameters": n_parameters,
        "fingerprint": model.fingerprint,
        "after": "; ".join(model.metadata.get("references", ())),
    }
    return _list(entries)


def _data(model: "TrainedModel") -> str:
    training = model.training
    shown = {
        f"{modality}, {name.replace('_', ' ')}": ", ".join(map(str, value)) if isinstance(value, list) else value
        for modality, part in model.preprocessing.items()
        if isinstance(part, Mapping)
        for name, value in part.items()
    }
    entries = {
        "source": model.metadata.get("data_source"),
        "made by": ", ".join(f"{name} {value}" for name, value in training.get("study_provenance", {}).items()),
        "held out, never trained on": f"{len(training['held_out_ids']):,}" if "held_out_ids" in training else None,
        "summary": model.metadata.get("description"),
    }
    return _list(entries | shown)


def _training(model: "TrainedModel") -> str:
    config = model.training.get("config", {})
    entries = {name.replace("_", " "): config.get(name) for name in _SETTINGS}
    entries |= {name: model.training.get(name) for name in ("precision", "torch")}
    return _list(entries) or "Not stated."


def _limits(model: "TrainedModel", tables: Mapping[str, pd.DataFrame]) -> str:
    limits = [str(model.warning)] if model.warning else []
    plane = model.preprocessing.get("mri", {}).get("imaging_plane")
    if plane:
        limits.append(f"It knows one imaging plane, {plane}, and one heart beat; other planes are outside its data.")
    limits += _translation_limits(tables["reconstruction"])
    failed = tables.get("findings", pd.DataFrame(columns=["holds"]))
    for row in failed[failed["holds"] != "yes"].to_dict("records"):
        exceptions = f" Not for: {row['exceptions']}." if row["exceptions"] else ""
        limits.append(f"{_HOLDS[row['holds']]}: {row['finding']}; {row['here']}.{exceptions}")
    limits.append("Intervals are over people; a second training with another seed was not compared.")
    return "\n".join(f"- {limit}" for limit in limits)


def _translation_limits(table: pd.DataFrame) -> list[str]:
    """How much less a recording decoded from the other modality shows than one from its own."""
    own = table[table["model"] == "cross-modal"].set_index(["latents", "decoded"])["explained"].to_dict()
    names = {"mri": ("A cine", "cine"), "ecg": ("An ECG", "ECG")}
    return [
        f"{names[decoded][0]} decoded from the other recording's latent removes {100 * own[source, decoded]:.0f} % of "
        f"the mean {names[decoded][1]}'s squared error, one from its own latent {100 * own[decoded, decoded]:.0f} %: "
        "what is drawn is what is likely, not what is there."
        for source, decoded in (("ecg", "mri"), ("mri", "ecg"))
        if {(source, decoded), (decoded, decoded)} <= set(own)
    ]
