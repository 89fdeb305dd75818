"""Labs of one person from FHIR R4: bundles of any kind, International Patient Summaries, NDJSON, gzip."""
