"""Every real recording is read to the figures of its description, or refused with the right reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_latent_explorer.data.cine import CineMRI
from napari_latent_explorer.data.ecg import LEAD_NAMES
from napari_latent_explorer.errors import RecordingError
from napari_latent_explorer.io.formats import read_place
from napari_latent_explorer.io.reading import ReadOptions

SIEMENS = {
    "shape": (25, 1, 208, 256), "spacing_mm": (6.0, 1.40625, 1.40625), "rr_interval_ms": 876.0,
    "first_and_last_ms": (0.0, 841.0), "imaging_plane": "la_4ch",
}  # fmt: skip
SUNNYBROOK = {"shape": (20, 12, 256, 256), "spacing_mm": (10.0, 1.367188, 1.367188), "imaging_plane": "sa"}
CINES: dict[str, dict[str, Any]] = {
    "cine/siemens_4ch": SIEMENS,
    "cine/siemens_4ch/frame_01.dcm": SIEMENS,
    "cine/sunnybrook_sax": SUNNYBROOK,
    "cine/sunnybrook_sax/SCD0000101": SUNNYBROOK,
    "cine/sunnybrook_sax/SCD0000101/1.dcm": SUNNYBROOK,
}
PTB = ("rhythm", 15, 38400, 1000.0)
ECGS: dict[str, tuple[tuple[str, int, int, float], ...]] = {
    "ecg/ptb_s0010_re": (PTB,),
    "ecg/ptb_s0010_re/s0010_re.hea": (PTB,),
    "ecg/ptb_s0010_re/s0010_re.dat": (PTB,),
    "ecg/ptb_s0010_re/s0010_re.xyz": (PTB,),
    "ecg/ptbxl_00001_lr/00001_lr.hea": (("rhythm", 12, 1000, 100.0),),
    "ecg/ptbxl_00001_lr/00001_lr.dat": (("rhythm", 12, 1000, 100.0),),
    "ecg/cinc2021/HR06000.hea": (("rhythm", 12, 5000, 500.0),),
    "ecg/cinc2021/HR06000.mat": (("rhythm", 12, 5000, 500.0),),
    "ecg/dicom/anonymous_ecg.dcm": (("median", 12, 1200, 1000.0), ("rhythm", 12, 10000, 1000.0)),
    "ecg/dicom/Example.dcm": (("median", 12, 599, 500.0), ("rhythm", 12, 5000, 500.0)),
    "ecg/hl7_aecg/Example.xml": (("median", 12, 599, 500.0), ("rhythm", 12, 5000, 500.0)),
    # 5500 samples, of which 5350 to 5449 are the calibration pulse
    "ecg/philips/129DYPRG.XML": (("rhythm", 12, 5000, 500.0),),
    "ecg/philips/2020-5-18_15-48-11.xml": (("median", 12, 1200, 1000.0), ("rhythm", 12, 5000, 500.0)),
    "ecg/ge_muse/musePHI_ecg1.xml": (("median", 12, 600, 500.0), ("rhythm", 12, 5000, 500.0)),
}
"""Kind, leads, samples, Hz; the first is read when none is asked for."""
GENOTYPES, TABLE = "genotypes, not a recording", "a table; give it as the table of phenotypes"
REFUSED = {
    "README.md": "a text of no known format",
    "cine": "2 cines in .*4CH",
    "cine/sunnybrook_sax/SCD0000101_scout": "no cine .*A cine has a TriggerTime",
    "cine/sunnybrook_sax/SCD0000101_scout/IM-0020-0001.dcm": "no cine .*A cine has a TriggerTime",
    "cine/sunnybrook_sax/contours_SC-HF-I-1": "a folder with 27 files and no recording",
    "cine/sunnybrook_sax/contours_SC-HF-I-1/i-contours/IM-0001-0048-icontour-manual.txt": TABLE,
    "cine/sunnybrook_sax/contours_SC-HF-I-1/o-contours/IM-0001-0059-ocontour-manual.txt": TABLE,
    "cine/sunnybrook_sax/link.csv": TABLE,
    "cine/sunnybrook_sax/scd_patientdata.csv": TABLE,
    "dicom_other": "no cine",
    "dicom_other/emri_small.dcm": "10 frames and does not describe them",
    "dicom_other/philips_enhanced_fmri_IM-0001-9600-0001.dcm": "no cine .*no trigger times",
    "ecg": r"a folder of several recordings, such as .*; open one of them",
    "ecg/dicom": r"a folder of several recordings, such as .*\.dcm \(DICOM ECG\)",
    "ecg/philips": r"a folder of several recordings, such as .* \(Philips ECG\)",
    "gwas": "a folder with 31 files and no recording",
    "gwas/bed_files/badfile.bed": "named like PLINK bed and does not begin like it",
    "gwas/bed_files/small_too_short.bed": f"PLINK bed file: {GENOTYPES}",
    "gwas/bed_files/smallmode0.bed": rf"PLINK bed file \(sample-major\): {GENOTYPES}",
    "gwas/fastlmm/all_chr.maf0.001.covariates.N300.txt": TABLE,
    "gwas/fastlmm/expected_linreg.txt": TABLE,
    "gwas/fastlmm/phenSynthFrom22.23.N300.randcidorder.txt": TABLE,
    "gwas/fastlmm/phenSynthFrom22.23.N300.txt": TABLE,
    "gwas/fastlmm/phenSynthFrom22.23.bin.N300.txt": TABLE,
    "gwas/regenie/covariates.txt": TABLE,
    "gwas/regenie/phenotype.txt": TABLE,
    "gwas/regenie/example.bgen": f"BGEN file: {GENOTYPES}",
    "gwas/regenie/example.pgen": f"PLINK 2 pgen file: {GENOTYPES}",
    "gwas/regenie/example.psam": f"PLINK 2 psam file: people of {GENOTYPES}",
    "gwas/regenie/example.pvar": f"PLINK 2 pvar file: variants of {GENOTYPES}",
    "gwas/regenie/test_lin_out_Y1.regenie": "summary statistics of an association",
    "gwas/regenie/test_lin_out_Y2.regenie": "summary statistics of an association",
} | {
    f"gwas/{name}.{suffix}": f"PLINK {suffix} file.*{GENOTYPES}"
    for name in ("bed_files/plink_sim_10s_100v_10pmiss", "bed_files/small", "bed_files/some_missing",
                 "fastlmm/all_chr.maf0.001.N300", "regenie/example")
    for suffix in ("bed", "bim", "fam")
}  # fmt: skip


@pytest.mark.parametrize("place", CINES)
def test_a_cine_is_read_to_its_figures(realdata: Path, place: str) -> None:
    expected = CINES[place]
    reading = read_place(realdata / place)
    cine = reading.recording
    assert isinstance(cine, CineMRI)
    assert cine.frames.shape == expected["shape"]
    np.testing.assert_allclose(cine.spacing_mm, expected["spacing_mm"], rtol=1e-4)
    assert cine.imaging_plane == expected["imaging_plane"]
    if "rr_interval_ms" in expected:
        assert cine.rr_interval_ms == pytest.approx(expected["rr_interval_ms"], abs=1)
        np.testing.assert_allclose(cine.frame_times_ms[[0, -1]], expected["first_and_last_ms"], atol=1)
    n_images = expected["shape"][0] * expected["shape"][1]
    assert sum(outcome.is_used for outcome in reading.outcomes) == n_images


@pytest.mark.parametrize("place", ECGS)
def test_an_ecg_is_read_to_its_figures_in_every_kind_it_has(realdata: Path, place: str) -> None:
    kinds = ECGS[place]
    assert read_place(realdata / place).recording.kind == kinds[0][0]
    for kind, n_leads, n_samples, rate_hz in kinds:
        ecg = read_place(realdata / place, ReadOptions(ecg_kind=kind)).recording
        assert (ecg.kind, ecg.signal_mv.shape, ecg.sampling_rate_hz) == (kind, (n_leads, n_samples), rate_hz)
        assert ecg.lead_names[:12] == LEAD_NAMES
        one, two, three = ecg.leads(("I", "II", "III"))
        np.testing.assert_allclose(two - one, three, atol=0.02)  # the units agree between leads
        assert 0.2 < np.abs(ecg.leads()).max() < 5


@pytest.mark.parametrize("place", REFUSED)
def test_what_is_no_recording_is_refused_with_the_right_reason(realdata: Path, place: str) -> None:
    with pytest.raises(RecordingError, match=f"(?s){REFUSED[place]}") as refusal:
        read_place(realdata / place)
    assert Path(place).name in str(refusal.value)


def test_no_file_is_left_out(realdata: Path) -> None:
    """A file is in one of the tables above, or one of many of its kind of which the first is."""
    named = {*CINES, *ECGS, *REFUSED}
    contours = "cine/sunnybrook_sax/contours_SC-HF-I-1"
    series = ("cine/siemens_4ch", "cine/sunnybrook_sax/SCD0000101", "cine/sunnybrook_sax/SCD0000101_scout")
    many = {*series, f"{contours}/i-contours", f"{contours}/o-contours"}
    files = [file.relative_to(realdata) for file in sorted(realdata.rglob("*")) if file.is_file()]
    left_out = [
        file.as_posix() for file in files if file.as_posix() not in named and file.parent.as_posix() not in many
    ]
    assert left_out == []
    assert len(files) > 300
