"""Clinical trials on virtual patients: protocol, conduct, measurement, analysis.

``conduct.run(protocol, ...)`` returns a `trial_run.TrialRun`. ``run[design, scenario]`` is a `data.TrialData` with all replicates as
arrays (replicates, patients, visits): `aval`, `change`, `base`, `frame()` are what a sponsor sees; `true`, `counterfactual` (the same
person, arm and luck without cells), `effect` and `parts` (an exact split of every observed change) are what no sponsor sees.
Protocols are YAML: ``protocol.load("dn61")`` or a path; see ``betapod trial new``.
"""
