"""Words: what clinicians call things, what the little words of a sentence do, and how spellings are made comparable.

The hard idea: a clinical word that is known here but not in the open study ("heart failure" where no column holds it)
must be told apart from a misspelt one, or it would be corrected into something else.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final

APOSTROPHES: Final = "'\u2019"
DASHES: Final = "-\u2013\u2014\u2212"
WORD: Final = re.compile(r"[^\W\d_][^\W_]*|\d+(?:\.\d+)?")

CONCEPTS: Final[tuple[str, ...]] = (
    "sex|gender|genetic sex|self-reported sex|reported sex",
    "age|aged|ages|age at imaging|age at scan|age at visit|age at examination|age at mri",
    "body mass index|bmi",
    "body surface area|bsa",
    "weight|body weight",
    "height|standing height|body height|stature",
    "waist circumference|waist",
    "hip circumference|hip",
    "smoking|smoking status|tobacco|tobacco use|smoking history",
    "drinking|alcohol drinker|alcohol status|alcohol drinker status|drinking status|alcohol",
    "systolic blood pressure|sbp|systolic pressure|systolic bp",
    "diastolic blood pressure|dbp|diastolic pressure|diastolic bp",
    "heart rate|hr|ventricular rate|resting heart rate",
    "pulse rate|pulse",
    "hypertension|htn|high blood pressure|hypertensive|arterial hypertension|essential hypertension|high bp|hbp|"
    "raised blood pressure|elevated blood pressure",
    "diabetes|diabetes mellitus|diabetic|dm|sugar disease",
    "type 2 diabetes|t2d|t2dm|diabetes type 2|type 2 diabetic|type ii diabetes|niddm|non-insulin-dependent diabetes "
    "mellitus",
    "type 1 diabetes|t1d|t1dm|diabetes type 1|type 1 diabetic|type i diabetes|iddm|insulin-dependent diabetes mellitus",
    "hypercholesterolemia|high cholesterol|raised cholesterol|elevated cholesterol|hypercholesterolemic|hyperlipidemia|"
    "hyperlipidaemia|dyslipidemia|disorders of lipoprotein metabolism",
    "coronary artery disease|cad|coronary heart disease|chd|ischemic heart disease|ihd|coronary disease|"
    "chronic ischemic heart disease",
    "myocardial infarction|mi|heart attack|acute myocardial infarction|infarct|infarction",
    "angina|angina pectoris",
    "heart failure|hf|chf|congestive heart failure|cardiac failure",
    "heart failure with reduced ejection fraction|hfref",
    "heart failure with preserved ejection fraction|hfpef",
    "atrial fibrillation|af|afib|a fib|atrial fibrillation and flutter|auricular fibrillation",
    "hypertrophic cardiomyopathy|hcm|hocm",
    "dilated cardiomyopathy|dcm",
    "cardiomyopathy",
    "stroke|cerebral infarction|cva",
    "chronic kidney disease|ckd|renal failure|kidney failure",
    "chronic obstructive pulmonary disease|copd",
    "asthma|asthmatic",
    "obesity|obese",
    "aortic stenosis",
    "mitral regurgitation",
    "left bundle branch block|lbbb",
    "right bundle branch block|rbbb",
    "left ventricular hypertrophy|lvh",
    "pacemaker",
    "ethnicity|ethnic background|ethnic group|race",
    "left ventricular mass|lv mass|lvm|left ventricle mass|lv myocardial mass|mass of the left ventricle|heart mass",
    "left ventricular mass index|lv mass index|lvmi|indexed lv mass",
    "left ventricular end-diastolic volume|lv end-diastolic volume|lvedv|lv edv|edv|end-diastolic volume",
    "left ventricular end-systolic volume|lv end-systolic volume|lvesv|lv esv|esv|end-systolic volume",
    "left ventricular stroke volume|lv stroke volume|lvsv|lv sv|stroke volume|sv",
    "left ventricular ejection fraction|lv ejection fraction|lvef|lv ef|ejection fraction|ef",
    "right ventricular end-diastolic volume|rv end-diastolic volume|rvedv|rv edv",
    "right ventricular end-systolic volume|rv end-systolic volume|rvesv|rv esv",
    "right ventricular stroke volume|rv stroke volume|rvsv|rv sv",
    "right ventricular ejection fraction|rv ejection fraction|rvef|rv ef",
    "cardiac output|co|lv cardiac output",
    "cardiac index|ci",
    "left atrial maximum volume|la maximum volume|la volume max|left atrial volume|la volume|lav",
    "left atrial ejection fraction|la ejection fraction|laef|la ef",
    "right atrial maximum volume|ra maximum volume|ra volume max|right atrial volume|ra volume",
    "right atrial ejection fraction|ra ejection fraction|raef|ra ef",
    "wall thickness|myocardial wall thickness|lv wall thickness|lv mean myocardial wall thickness|lvwt",
    "global longitudinal strain|gls|longitudinal strain|lv longitudinal strain",
    "circumferential strain|gcs|lv circumferential strain|global circumferential strain",
    "radial strain|grs|lv radial strain|global radial strain",
    "PR interval|pr|pq interval|pr duration|pq",
    "QRS duration|qrs|qrs width|qrs interval|qrsd",
    "QT interval|qt|qt duration",
    "QTc interval|qtc|corrected qt|corrected qt interval",
    "RR interval|rr",
    "p duration|p wave duration",
    "cholesterol|total cholesterol",
    "ldl|ldl cholesterol|ldl direct|ldl-c",
    "hdl|hdl cholesterol|hdl-c",
    "triglycerides",
    "glucose|blood glucose|blood sugar",
    "hba1c|glycated hemoglobin|glycated haemoglobin hba1c|a1c",
    "creatinine",
    "egfr|estimated glomerular filtration rate",
)
"""What means the same, parted by bars; the first is the word for people."""

SEX_WORDS: Final = (
    "female|females|woman|women|lady|ladies|girls|f",
    "male|males|man|men|gentleman|gentlemen|boys|m",
)
SMOKING_WORDS: Final = (
    "never|never smoker|never smoked|has never smoked|never smoking",
    "previous|previous smoker|former|former smoker|ex|ex-smoker|past|past smoker|quit smoking|former smoking",
    "current|current smoker|smoker|smokes|smoke|currently smoking|active smoker",
)
DRINKING_WORDS: Final = (
    "never|never drinker|teetotaller|teetotaler",
    "previous|previous drinker|former|former drinker|ex|ex-drinker|past|past drinker",
    "current|current drinker|drinker",
)
CATEGORY_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "sex": SEX_WORDS,
    "smoking": SMOKING_WORDS,
    "drinking": DRINKING_WORDS,
}
"""For a concept, by its first word, what its categories are called; the first word is no phrase of its own."""

YES_WORDS: Final = "yes|y|true|1|present|positive|affected|diagnosed|ja|oui"
NO_WORDS: Final = "no|n|false|0|absent|negative|unaffected|none|never|nein|non"

OBESE_BMI: Final = 30.0
"""kg/m²; WHO (2000), Obesity: preventing and managing the global epidemic, technical report series 894."""

FUNCTION_WORDS: Final[Mapping[str, str]] = {
    "AND": "and|but|plus|as well as|and also|&",
    "OR": "or|and/or|or else",
    "NOT": "not|non|isn't|aren't|isnt|arent|wasn't|weren't",
    "WITHOUT": "without|w/o|no|free of|free from|lacking|except|except for|excluding|other than|apart from|nor|neither|"
    "never had|absence of|no history of|without history of|without a history of|without any|not having|do not have|"
    "does not have|don't have|doesn't have|not diagnosed with|never diagnosed with|negative for|without known|no known",
    "WITH": "with|w|having|has|have|had|diagnosed with|diagnosed as|previously diagnosed with|known to have|history of|"
    "with history of|with a history of|suffering from|suffer from|suffers from|affected by|positive for|diagnosis of|"
    "with a diagnosis of|together with|along with",
    "MISSING": "missing|unknown|unrecorded|unmeasured|not known|not recorded|not measured|not available|not given|"
    "no data on|no data for|no value for|no value of|without data on|without a value for|unspecified|nan",
    "KNOWN": "known|recorded|measured|available|given|not missing",
    "PEOPLE": "people|person|patient|participant|subject|individual|everyone|everybody|anyone|volunteer|heart",
    "LEAD": "representative|typical|prototypical|reconstruct|reconstruction of|representative of",
    "FILLER": "the|prior|a|an|who|who are|who is|that are|which are|taking|on|"
    "that|which|be|been|all|any|only|those|these|them|show|show me|find|select|give me|please|"
    "their|his|her|whose|in|also|either|both|for|at|then|there|every|each|previously|currently|i want|i need|do|does|"
    "did|of age|exactly|precisely|being|value|values|level|levels|me|us",
    "IS": "is|are|was|were|of|equals|equal to|=|==|:",
    "ISNT": "!=|<>|≠",
    "GT": "above|over|more than|greater than|exceeding|exceeds|beyond|>",
    "GT_OTHER": "larger than|higher than|bigger than|longer than|taller than|heavier than|thicker than",
    "GE": "at least|no less than|not less than|not below|minimum|min|starting from|>=|≥|=>",
    "LT": "below|under|less than|<",
    "LT_OTHER": "lower than|smaller than|fewer than|shorter than|lighter than|thinner than",
    "LE": "at most|no more than|not more than|up to|maximum|max|not above|not exceeding|<=|≤|=<",
    "OLDER": "older than",
    "YOUNGER": "younger than",
    "OR_MORE": "or more|or above|or over|or higher|or greater|or larger|or longer|and above|and over|and more|and up|"
    "plus|and higher",
    "OR_LESS": "or less|or below|or under|or lower|or fewer|or smaller|or shorter|and below|and under|and less|"
    "and lower",
    "OR_OLDER": "or older|and older|years and older|years or older",
    "OR_YOUNGER": "or younger|and younger|years and younger|years or younger",
    "RANGE": "between|from|ranging from|within|in the range of|in the range|ranging between",
    "TO": "to|through|until|till",
    "TOP": "top|highest|largest|upper|uppermost|greatest|biggest|longest",
    "BOTTOM": "bottom|lowest|smallest|lower|lowermost|least|shortest",
    "MEDIAN": "median|the median",
    "MEAN": "mean|average|the mean|the average",
    "VAGUE_HIGH": "high|large|big|elevated|increased|raised|enlarged|long|thick|thickened|tall|heavy|heaviest|tallest",
    "VAGUE_LOW": "low|small|reduced|decreased|impaired|short|thin|poor|light|lightest",
    "VAGUE": "normal|abnormal|severe|severely|mild|mildly|moderate|preserved|old|young|elderly|middle-aged|"
    "overweight|underweight|lean|oldest|youngest|very|quite|rather|somewhat|slightly",
    "VAGUE_HEALTHY": "healthy|fit|well",
    "VAGUE_NEAR": "about|around|approximately|roughly|nearly|almost|circa|ca|close to|near|~",
}
"""What the little words do, by the token of the grammar (or what the reader of the sentence makes of it)."""

FRACTIONS: Final[Mapping[str, float]] = {
    "half": 1 / 2, "third": 1 / 3, "tertile": 1 / 3, "quarter": 1 / 4, "quartile": 1 / 4, "fifth": 1 / 5,
    "quintile": 1 / 5, "tenth": 1 / 10, "decile": 1 / 10, "percentile": 1 / 100,
}  # fmt: skip

TENS: Final[Mapping[str, float]] = {
    "ten": 10, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip

DECADES: Final[Mapping[str, float]] = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70, "eighties": 80,
    "nineties": 90,
}  # fmt: skip

NOISE: Final = (
    "diagnosed by doctor|diagnosed|diagnosis|history of|prevalent|incident|baseline|status|at imaging|mri|cmr"
)
"""What a column's name may hold besides what it is called."""


_NO_APOSTROPHES: Final = dict.fromkeys(map(ord, APOSTROPHES))


@lru_cache(maxsize=8192)
def _singular(word: str) -> str:
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    return word[:-3] + "y" if word.endswith("ies") else word[:-1]


def fold(word: str) -> str:
    """Make spellings comparable: small letters, no accents, one of the British and American forms, singular."""
    if not word.isascii():
        decomposed = unicodedata.normalize("NFKD", word)
        word = "".join(char for char in decomposed if not unicodedata.combining(char))
    word = word.lower().replace("aem", "em").replace("oed", "ed").translate(_NO_APOSTROPHES)
    return _singular(word) if word.isascii() else word


@lru_cache(maxsize=8192)
def words_of(text: str) -> tuple[str, ...]:
    """Folded words and numbers of a name, label or phrase: ``LV_mass (g)`` has ``lv``, ``mass`` and ``g``."""
    return tuple(fold(found[0]) for found in WORD.finditer(text.translate(_NO_APOSTROPHES)))


@cache
def function_phrases() -> Mapping[tuple[str, ...], str]:
    """Say what each phrase of little words does; a sign is a phrase of one word."""
    return {
        words_of(phrase) or (phrase,): kind for kind, phrases in FUNCTION_WORDS.items() for phrase in phrases.split("|")
    }


@cache
def concepts() -> tuple[tuple[str, frozenset[tuple[str, ...]]], ...]:
    """List the word for people, and all phrases, of each concept."""
    named = (phrases.split("|") for phrases in CONCEPTS)
    return tuple((names[0], frozenset(map(words_of, names))) for names in named)
