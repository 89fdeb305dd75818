"""Clinical trials on virtual patients: protocol, conduct, measurement, analysis.

``conduct.conduct_trial(protocol, ...)`` returns a `trial_run.TrialRun`. ``run[design, scenario]`` is a `trial_data.TrialData` with all replicates as
arrays (replicates, patients, visits): `aval`, `change`, `base`, `frame()` are what a sponsor sees; `true`, `counterfactual` (the same
person, arm and random numbers without cells), `effect` and `parts` (an exact split of every observed change) are what no sponsor sees.
Protocols are YAML: ``protocol_files.find_protocol("dn61")`` or a path; see ``betapod trial new``.
"""
