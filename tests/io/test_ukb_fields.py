from collections import Counter

import pytest

from napari_latent_explorer.data.phenotype import PhenotypeSpec
from napari_latent_explorer.io.ukb_fields import NOT_PHENOTYPES, UKB_PHENOTYPES, UkbPhenotype
from napari_latent_explorer.simulation.population import PHENOTYPES

BY_NAME = {phenotype.name: phenotype for phenotype in UKB_PHENOTYPES}

SHOWCASE = {
    # field: (title in the data dictionary, unit), read off the Showcase independently of the module
    4080: ("Systolic blood pressure, automated reading", "mmHg"),
    12336: ("Ventricular rate", "bpm"),
    12340: ("QRS duration", "ms"),
    22330: ("PQ interval", "ms"),
    22331: ("QT interval", "ms"),
    22332: ("QTC interval", "ms"),
    22420: ("LV ejection fraction", "percent"),
    22427: ("Body surface area", "m2"),
    24100: ("LV end diastolic volume", "mL"),
    24105: ("LV myocardial mass", "grams"),
    24106: ("RV end diastolic volume", "mL"),
    24110: ("LA maximum volume", "mL"),
    24117: ("RA ejection fraction", "percent"),
    30750: ("Glycated haemoglobin (HbA1c)", "mmol/mol"),
}
_UNITS = {"percent": "%", "mL": "ml", "grams": "g", "m2": "m²"}


@pytest.mark.parametrize("field", SHOWCASE)
def test_fields_have_the_titles_and_units_of_the_data_dictionary(field: int) -> None:
    title, unit = SHOWCASE[field]
    (phenotype,) = (known for known in UKB_PHENOTYPES if field in known.fields)
    assert phenotype.unit == _UNITS.get(unit, unit)
    words = set(title.lower().replace("myocardial ", "").replace("qtc", "qtc").replace("-", " ").split())
    told = set(phenotype.label.lower().replace("-", " ").replace(",", " ").split())
    assert len(words & told) >= min(2, len(words)), (phenotype.label, title)


def test_names_and_fields_are_taken_once() -> None:
    assert not [name for name, n in Counter(p.name for p in UKB_PHENOTYPES).items() if n > 1]
    single = Counter(field for p in UKB_PHENOTYPES if p.rule != "any" for field in p.fields)
    assert not [field for field, n in single.items() if n > 1]
    assert not set(single) & set(NOT_PHENOTYPES)


@pytest.mark.parametrize("phenotype", UKB_PHENOTYPES, ids=lambda phenotype: phenotype.name)
def test_codes_lead_to_categories(phenotype: UkbPhenotype) -> None:
    PhenotypeSpec(phenotype.name, phenotype.kind, phenotype.label, phenotype.unit, phenotype.categories)
    assert {label for _, label in phenotype.codes} <= set(phenotype.categories)
    assert not {code for code, _ in phenotype.codes} & set(phenotype.missing_codes)
    assert len(dict(phenotype.codes)) == len(phenotype.codes)


def test_what_simulated_studies_know_too_is_called_the_same() -> None:
    for spec in PHENOTYPES:
        known = BY_NAME.get(spec.name)
        if known is not None:
            assert (known.kind, known.unit, known.categories) == (spec.kind, spec.unit, spec.categories), spec.name


def test_codings() -> None:
    assert dict(BY_NAME["sex"].codes) == {"0": "female", "1": "male"}
    assert dict(BY_NAME["smoking"].codes) == {"0": "never", "1": "previous", "2": "current"}
    assert dict(BY_NAME["alcohol_frequency"].codes)["1"] == "Daily or almost daily"
    assert dict(BY_NAME["alcohol_frequency"].codes)["6"] == "Never"
    assert dict(BY_NAME["ethnic_background"].codes)["3002"] == "Asian or Asian British"
    assert dict(BY_NAME["hypertension_diagnosed"].codes)["4"] == "yes"
    assert dict(BY_NAME["hypertension_diagnosed"].codes)["-7"] == "no"
    assert "-3" in BY_NAME["hypertension_diagnosed"].missing_codes
