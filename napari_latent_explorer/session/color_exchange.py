"""What colours the maps as plain JSON values, and back: a text names a phenotype, an object what was derived."""

from dataclasses import asdict

from napari_latent_explorer.errors import LatentExplorerError
from napari_latent_explorer.session.color_sources import ColorBy, Predicted, Trust, Unusual
from napari_latent_explorer.session.json_fields import JsonFields
from napari_latent_explorer.session.state import ExplorerState, check_color_source


def color_to_json(source: ColorBy | None) -> str | dict[str, str] | None:
    """Write what colours the maps."""
    if source is None or isinstance(source, str):
        return source
    return {"derived": type(source).__name__.lower(), **asdict(source)}


def color_from_fields(document: JsonFields, state: ExplorerState) -> ColorBy | None:
    """Read the field ``color_by`` of a session; notes what the open study cannot be coloured by."""
    if document.is_null("color_by"):
        return None
    n_problems = len(document.problems)
    source = _source(document)
    if len(document.problems) > n_problems:
        return None
    try:
        check_color_source(state, source)
    except LatentExplorerError:
        expected = "a phenotype of the study" if isinstance(source, str) else "of what the study has"
        document.note("color_by", expected, source)
        return None
    return source


def _source(document: JsonFields) -> ColorBy:
    if not isinstance(document.raw("color_by"), dict):
        return document.text("color_by")
    fields = document.child("color_by")
    match fields.one_of("derived", ("unusual", "trust", "predicted")):
        case "unusual":
            return Unusual(fields.text("modality"))
        case "trust":
            return Trust(fields.text("map_name"))
        case _:
            return Predicted(fields.text("phenotype"), fields.text("row"))
