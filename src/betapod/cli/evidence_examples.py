"""Examples in the help of the verbs about published numbers and about claims."""

from __future__ import annotations

#: As in `examples`.
EVIDENCE_EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "evidence": (
        ("Studies of mesenchymal stromal cells from the umbilical cord", "betapod evidence list --product UC-MSC"),
        ("Everything that one study reports", "betapod evidence show SKYLER2015"),
        ("Names of endpoints, to be used in options", "betapod evidence terms endpoint"),
    ),
    "evidence list": (
        ("Studies of one product", "betapod evidence list --product UC-MSC"),
        ("Every number of an endpoint, as CSV", "betapod evidence list --endpoint HbA1c --rows --csv hba1c.csv"),
        ("Names of endpoints, families, products, populations, studies", "betapod evidence terms product"),
    ),
    "evidence show": (
        ("A study: source, risk of bias, every number", "betapod evidence show SKYLER2015"),
        ("As one JSON document", "betapod evidence show SKYLER2015 --json"),
    ),
    "evidence terms": (
        ("Endpoints, with units and numbers of records", "betapod evidence terms endpoint"),
        ("Products whose name holds a word", "betapod evidence terms product --search MSC"),
        ("Families of studies that share patients", "betapod evidence terms family"),
    ),
    "evidence pool": (
        ("HbA1c under cells from the umbilical cord", "betapod evidence pool --product UC-MSC --endpoint HbA1c"),
        (
            "Kidney failure under intensive control of glucose",
            "betapod evidence pool --product 'intensive glycaemia' --endpoint ESKD",
        ),
        ("Every question of the registry", "betapod evidence pool"),
    ),
    "evidence plot": (
        (
            "A forest plot; its numbers go to forest.plot.csv",
            "betapod evidence plot forest.png --product UC-MSC --endpoint HbA1c",
        ),
        (
            "Kidney failure under intensive control of glucose",
            "betapod evidence plot f --product 'intensive glycaemia' --endpoint ESKD",
        ),
    ),
    "evidence new": (
        ("Tables to fill, with a comment for every column", "betapod evidence new my-study"),
        ("Which files are they?", "betapod evidence new other-study --json"),
    ),
    "evidence check": (
        ("The registry that comes with betapod", "betapod evidence check"),
        ("A table of your own", "betapod evidence check studies.csv"),
    ),
    "evidence add": (
        ("Rows of another table", "betapod evidence add mine.csv --from studies.csv"),
        ("What the columns mean, from a row that exists", "betapod evidence list --study SKYLER2015 --csv like.csv"),
    ),
}
#: As in `examples`.
CLAIM_EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "claims": (
        ("Every claim with its verdict", "betapod claims"),
        ("Those that the evidence contradicts", "betapod claims --status contradicted --no-model"),
        ("Those about beta cells, by any of their words", "betapod claims --search 'beta cells' --no-model"),
        ("One claim in full", "betapod claims show B07"),
    ),
    "claims show": (
        ("One claim in full", "betapod claims show B07"),
        ("By evidence alone, as JSON", "betapod claims show A01 B07 --no-model --json"),
    ),
    "claims page": (
        ("All claims on one page", "betapod claims page claims.html"),
        ("With studies of your own", "betapod claims page mine.html --overlay studies.csv"),
    ),
    "claims targets": (
        ("Every simulated outcome beside what is claimed of it", "betapod claims targets --csv targets.csv"),
        ("With claims of your own", "betapod claims targets --questions questions.yaml"),
    ),
    "claims check": (
        ("Look for mistakes in the ledger", "betapod claims check"),
        ("In questions of your own", "betapod claims check --questions questions.yaml --overlay studies.csv"),
    ),
    "claims systems": (
        ("What stands for each system of the source pages", "betapod claims systems"),
        ("As one JSON document", "betapod claims systems --json"),
    ),
    "claims contest": (
        ("Four predictions that can be wrong", "betapod claims contest"),
        ("As one JSON document", "betapod claims contest --json"),
    ),
    "claims simulate": (
        ("Simulate every claim again", "betapod claims simulate"),
        ("Keep the results in a file, too", "betapod claims simulate --out simulated.json"),
    ),
}
