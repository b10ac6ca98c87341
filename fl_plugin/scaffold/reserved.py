"""Words that a name may not be, and words that tell what a column is about."""


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


# DuckDB's reserved words.
SQL_WORDS = words_of(
    "all analyse analyze and any array as asc asymmetric both case cast check collate "
    "column constraint create default deferrable desc describe distinct do else end "
    "except false fetch for foreign from group having in initially intersect into "
    "lambda lateral leading limit not null offset on only or order pivot pivot_longer "
    "pivot_wider placing primary qualify references returning select show some "
    "summarize symmetric table then to trailing true union unique unpivot using "
    "variadic when where window with"
)
# What YAML reads as something else than text.
YAML_WORDS = words_of("yes no on off true false null")
# Databases and schemas that DuckDB or the mesh has; folders that every project has;
# devices that Windows has.
TAKEN = words_of(
    "main temp system memory mesh mesh_meta information_schema pg_catalog "
    "con prn aux nul data ledger keys logs macros models seeds target outbox "
    "governance studies grants staging intermediate products files"
)

# Parts of a column's name, in English and German.
NAMES_A_PERSON = words_of(
    "account address adresse card email iban ip kunde kundenname mail mobile name "
    "nachname passport phone ssn street strasse surname tax telefon telephone user "
    "username vorname"
)
TELLS_TOGETHER = words_of(
    "age alter birth birthday birthdate city dob employer geburtsdatum income job "
    "latitude longitude occupation ort plz postal postcode town zip zipcode"
)
SENSITIVE = words_of(
    "caste citizenship colour creed disability disabled ethnic ethnicity foreign "
    "foreigner gender geschlecht health marital nationality orientation origin "
    "political pregnant race religion sex union"
)
KEYS = words_of("code id key kennung nr number no uuid")
