"""Writes CardioSoft XML as UK Biobank delivers it in field 20205, for tests that need thousands of them.

Structure, units and spelling are those of the delivered files: ISO-8859-1, samples as integers of 5 uV, comma-separated
after a tab and broken into lines, medians of 600 and strips of 5000 samples, fiducial points in ms.
"""

from xml.sax.saxutils import escape

import numpy as np

from napari_latent_explorer.data.ecg import ECG, LEAD_NAMES

RESOLUTION_UV = 5
_PER_LINE = 50


def as_written(ecg: ECG) -> ECG:
    """The twelve leads of `ecg` as a reader should get them back: rounded to whole steps of 5 uV."""
    steps = np.rint(ecg.leads().astype(np.float64) * 1000 / RESOLUTION_UV)
    signal_mv = (steps * RESOLUTION_UV / 1000).astype(np.float32)
    return ECG(signal_mv, LEAD_NAMES, ecg.sampling_rate_hz, ecg.kind, ecg.qrs_onset_ms, ecg.source)


def write_cardiosoft_xml(
    median: ECG | None,
    rhythm: ECG | None = None,
    *,
    participant_id: str = "1000001",
    last_valid: int | None = None,
    resolution_uv: int = RESOLUTION_UV,
    lead_names: tuple[str, ...] = LEAD_NAMES,
) -> bytes:
    """Write one resting ECG.

    Parameters
    ----------
    median, rhythm
        What goes into ``MedianSamples`` and ``StripData``; None leaves the element out.
    participant_id
        What stands as ``PID``.
    last_valid
        Last sample of the median that the device calls valid; None for six before the end.
    resolution_uv
        Size of a step.
    lead_names
        Leads that are written, and their order.
    """
    measurements = "" if median is None else _measurements(median, last_valid, resolution_uv, lead_names)
    strip = "" if rhythm is None else _samples("StripData", rhythm, resolution_uv, lead_names)
    return f"""<?xml version="1.0" encoding="ISO8859-1"?>
<CardiologyXML>
  <ObservationType>RestECG</ObservationType>
  <ObservationDateTime>
    <Hour>10</Hour><Minute>20</Minute><Second>30</Second><Day>1</Day><Month>2</Month><Year>2016</Year>
  </ObservationDateTime>
  <UID><DICOMStudyUID>1.2.840.113619.2.235.1</DICOMStudyUID></UID>
  <ClinicalInfo>
    <ReasonForStudy></ReasonForStudy>
    <DeviceInfo><Desc>CardioSoft</Desc><SoftwareVer>V6.73</SoftwareVer><AnalysisVer>12SL V21</AnalysisVer></DeviceInfo>
  </ClinicalInfo>
  <PatientInfo>
    <PID>{escape(participant_id)}</PID><Name><FamilyName/><GivenName/></Name><Age units="YEARS">60</Age>
    <Gender>FEMALE</Gender><Height units="CENTIMETERS">170</Height><Weight units="KILOGRAMS">70</Weight>
    <PaceMaker>no</PaceMaker>
  </PatientInfo>
  <FilterSetting>
    <CubicSpline>yes</CubicSpline><Filter50Hz>yes</Filter50Hz><Filter60Hz>no</Filter60Hz>
    <LowPass units="Hz">100</LowPass><HighPass units="Hz">0.01</HighPass>
  </FilterSetting>
  <Device-Type>CAM-14</Device-Type>
  <Interpretation>
    <Diagnosis><DiagnosisText>Normal sinus rhythm</DiagnosisText></Diagnosis>
    <Conclusion><ConclusionText>Für Prüfzwecke</ConclusionText></Conclusion>
  </Interpretation>
{measurements}{strip}</CardiologyXML>
""".encode("iso-8859-1")


def _measurements(median: ECG, last_valid: int | None, resolution_uv: int, lead_names: tuple[str, ...]) -> str:
    onset_ms = 435.0 if median.qrs_onset_ms is None else median.qrs_onset_ms
    last = median.signal_mv.shape[1] - 7 if last_valid is None else last_valid
    valid = f"""      <FirstValid units="Sample">0</FirstValid>
      <LastValid units="Sample">{last}</LastValid>
"""
    blanks = ",".join(" " for _ in LEAD_NAMES)
    return f"""  <RestingECGMeasurements>
    <DiagnosisVersion>12SL V21</DiagnosisVersion>
    <VentricularRate units="BPM">60</VentricularRate>
    <PQInterval units="ms">160</PQInterval>
    <QRSDuration units="ms">90</QRSDuration>
    <QTInterval units="ms"></QTInterval>
    <RRInterval units="ms">1000</RRInterval>
    <MeasurementTable Creation="12SL">
      <LeadOrder>{", ".join(LEAD_NAMES)}</LeadOrder>
      <RAmplitude units="uV">{blanks}</RAmplitude>
    </MeasurementTable>
    <POnset units="ms">{round(onset_ms) - 160}</POnset>
    <POffset units="ms">{round(onset_ms) - 60}</POffset>
    <QOnset units="ms">{onset_ms:g}</QOnset>
    <QOffset units="ms">{round(onset_ms) + 90}</QOffset>
    <TOffset units="ms">{round(onset_ms) + 420}</TOffset>
{_samples("MedianSamples", median, resolution_uv, lead_names, valid)}  </RestingECGMeasurements>
"""


def _samples(element: str, ecg: ECG, resolution_uv: int, lead_names: tuple[str, ...], valid: str = "") -> str:
    steps = np.rint(ecg.leads(lead_names).astype(np.float64) * 1000 / resolution_uv).astype(np.int64)
    leads = "".join(
        f'      <WaveformData lead="{name}">{_text(row.tolist())}</WaveformData>\n'
        for name, row in zip(lead_names, steps, strict=True)
    )
    return f"""    <{element}>
      <NumberOfLeads>{len(lead_names)}</NumberOfLeads>
      <SampleRate units="Hz">{ecg.sampling_rate_hz:g}</SampleRate>
      <ChannelSampleCountTotal>{steps.shape[1]}</ChannelSampleCountTotal>
      <Resolution units="uVperLsb">{resolution_uv}</Resolution>
{valid}{leads}    </{element}>
"""


def _text(row: list[int]) -> str:
    lines = (",".join(map(str, row[start : start + _PER_LINE])) for start in range(0, len(row), _PER_LINE))
    return "\t" + ",\n\t".join(lines)
