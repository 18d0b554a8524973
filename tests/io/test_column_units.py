import pytest

from napari_latent_explorer.io.column_units import split_unit


@pytest.mark.parametrize(
    ("name", "label", "unit"),
    [
        ("LVM (g)", "LVM", "g"),
        ("QRS [ms]", "QRS", "ms"),
        ("lvedv_ml", "lvedv", "ml"),
        ("height_cm", "height", "cm"),
        ("SBP.mmHg", "SBP", "mmHg"),
        ("LVMI (g/m2)", "LVMI", "g/m²"),
        ("BMI [kg/m^2]", "BMI", "kg/m²"),
        ("EF (%)", "EF", "%"),
        ("EF (MRI)", "EF (MRI)", ""),
        ("heart_rate_bpm", "heart rate", "bpm"),
        ("age", "age", "years"),
        ("Age at MRI", "Age at MRI", "years"),
        ("age_group", "age group", "years"),
        ("page", "page", ""),
        ("ms", "ms", ""),
        ("sex_m", "sex m", ""),
        ("systems", "systems", ""),
        ("", "", ""),
        ("a\nb (ml)", "a b", "ml"),
    ],
)
def test_units_in_names(name: str, label: str, unit: str) -> None:
    assert split_unit(name) == (label, unit)
