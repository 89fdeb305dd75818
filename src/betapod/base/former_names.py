"""Names of earlier versions, with those of today, for those who still write them."""

#: Keys of protocols.
PROTOCOL_KEYS = {"hypotheses": "scenarios"}
