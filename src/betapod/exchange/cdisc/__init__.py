"""Data of simulated trials in the forms of CDISC: SDTM, ADaM, Define-XML; and reading and checking of ADaM, own or foreign."""
