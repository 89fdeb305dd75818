"""Examples in the help of each verb: what each is for, and the command. The tests run them in this order, in one folder."""

from __future__ import annotations

from .evidence_examples import CLAIM_EXAMPLES, EVIDENCE_EXAMPLES
from .fit_examples import FIT_EXAMPLES
from .sensitivity_examples import SENSITIVITY_EXAMPLES

#: By verb: what an example is for, and its command. Names of files are those that earlier examples wrote, or the user's own.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "demo": (
        ("A first look, with few replicates", "betapod demo --replicates 20 --quick --out look"),
        ("The whole demonstration: dn61 with 1000 replicates", "betapod demo --out demo"),
    ),
    "doctor": (
        ("Is this installation complete?", "betapod doctor"),
        ("Without the simulation of the self-test", "betapod doctor --quick"),
    ),
    "patient": (
        ("What would an SGLT2 inhibitor do?", "betapod patient --age 61 --egfr 52 --uacr 380 --try 'SGLT2 inhibitor'"),
        ("Other units, as a page", "betapod patient --egfr 52 --uacr '43 mg/mmol' --on ramipril --html me.html"),
    ),
    "patient validate": (
        ("Was the model right about my patients?", "betapod patient validate cohort.csv"),
        ("Everybody's risks as a table", "betapod patient validate cohort.csv --years 2 --csv risks.csv"),
    ),
    "explore": (
        ("Plans of treatment beside each other, in the browser", "betapod explore"),
        ("The same page as a file to keep or send", "betapod explore --html person.html"),
    ),
    "serve": (
        ("Run trials and your own models from the browser", "betapod serve"),
        ("Another folder and port, for programs", "betapod serve --runs trials --port 8321 --no-browser"),
    ),
    "simulate": (
        ("Ten years of a kidney with high glucose", "betapod simulate kidney --years 10 --set 'G=203 mg/dL'"),
        (
            "A patient with diabetic kidney disease on an SGLT2 inhibitor",
            "betapod simulate reference --person t2d_ckd --drug 'SGLT2 inhibitor'",
        ),
        (
            "A typical person after three infusions of cells",
            "betapod simulate reference --person t2d --cells 'UC-MSC 1e6/kg iv x3 q28d'",
        ),
        (
            "A figure: four levels of glucose beside each other",
            "betapod simulate kidney --years 5 --scan G=5:12:4 --plot k.png",
        ),
    ),
    "drugs": (
        ("Which drugs, by class, at which doses?", "betapod drugs"),
        ("What blocks the angiotensin receptor?", "betapod drugs --search ARB"),
        ("All doses as a table", "betapod drugs --csv drugs.csv"),
    ),
    "drugs show": (
        ("What does empagliflozin change, and on whose word?", "betapod drugs show empagliflozin"),
        ("All of a class, as a table", "betapod drugs show 'GLP-1 receptor agonist' --csv glp1.csv"),
    ),
    "harms": (
        ("What may three infusions do, against three of placebo?", "betapod harms 'UC-MSC 1e6/kg iv x3 q28d'"),
        ("Into the renal artery, in kidney disease", "betapod harms 'BM-MSC 100e6 ra' --kidney-disease"),
        ("Islets made from stem cells, over five years", "betapod harms 'SC-islets 0.8e9 pv' --years 5"),
    ),
    "value": (
        ("A run file and a country pack to fill in", "betapod value lives.yaml --new"),
        ("Check them", "betapod value lives.yaml --check"),
        ("What strategies gain for what they cost, with a page", "betapod value lives.yaml --report"),
    ),
    "design": (
        ("Three looks that spend alpha like O'Brien-Fleming", "betapod design boundaries"),
        ("Patients for a difference of 0.3 standard deviations", "betapod design size means --effect 0.3 --sd 1"),
    ),
    "design families": (
        ("Which boundaries are there?", "betapod design families"),
        ("As a table", "betapod design families --csv families.csv"),
    ),
    "design boundaries": (
        ("Two looks, the first at 60 %", "betapod design boundaries --information 0.6,1"),
        ("With futility that spends beta", "betapod design boundaries --futility asOF"),
        ("Pocock, five looks, as a picture", "betapod design boundaries --family P --looks 5 --plot p.svg"),
    ),
    "design size": (
        ("Means, twice as many treated", "betapod design size means --effect 0.3 --sd 1 --ratio 2"),
        ("Responders, 25 against 40 %", "betapod design size rates --treated 0.25 --control 0.4"),
        ("Events for a hazard ratio, two looks", "betapod design size survival --hazard-ratio 0.7 --looks 2"),
    ),
    "design power": (
        ("400 patients, three effects", "betapod design power means --effect 0,0.2,0.3 --sd 1 --size 400"),
        ("300 events", "betapod design power survival --hazard-ratio 0.7,0.8 --size 300"),
    ),
    "design inference": (
        ("Stopped at the second look", "betapod design inference --look 2 --estimate 0.42 --se 0.15"),
        ("Not yet stopped", "betapod design inference --look 1 --estimate 0.1 --se 0.2"),
    ),
    "complications": (
        ("What may come to eyes, nerves, feet and after kidney failure?", "betapod complications list"),
        ("What ketoacidosis depends on", "betapod complications show ketoacidosis"),
    ),
    "complications list": (
        ("All complications, by group", "betapod complications list"),
        ("Those of the feet, as a table", "betapod complications list --search feet --csv feet.csv"),
    ),
    "complications show": (
        ("What a foot ulcer depends on, and on whose word", "betapod complications show foot_ulcer"),
        ("Its numbers as a table", "betapod complications show foot_ulcer --csv ulcer.csv"),
    ),
    "ogtt": (
        ("75 g of glucose in type 2 diabetes", "betapod ogtt --person t2d"),
        ("Fewer beta cells than the typical person has", "betapod ogtt --person ngt --set beta_mass=0.7"),
        ("Draw it, and keep the samples", "betapod ogtt --person t2d --step 10 --plot ogtt.png --csv ogtt.csv"),
    ),
    "mmtt": (
        ("A mixed meal at the diagnosis of type 1 diabetes", "betapod mmtt --person t1d_new"),
        ("Every five minutes, drawn", "betapod mmtt --person t2d --step 5 --plot mmtt.png"),
    ),
    "clamp": (
        ("Insulin sensitivity (M value) in type 2 diabetes", "betapod clamp --person t2d"),
        ("A low-dose clamp at 7 mmol/L", "betapod clamp --person t2d --rate 0.25 --glucose 7"),
    ),
    "patients": (
        ("What the library of virtual patients holds", "betapod patients show"),
        ("200 patients who look like those of the FLOW trial", "betapod patients like FLOW -n 200 --out flow.csv"),
    ),
    "patients grow": (
        ("A library of your own, from 3000 simulated lives", "betapod patients grow mine.npz --lives 3000"),
        ("Other people", "betapod patients grow more.npz --lives 1000 --seed 2"),
    ),
    "patients list": (
        ("Real cohorts that 'patients like' can imitate", "betapod patients list"),
        ("The same as one JSON document", "betapod patients list --json"),
    ),
    "patients show": (
        ("Quantiles of every column of the library", "betapod patients show"),
        ("A library of your own", "betapod patients show --library mine.npz"),
    ),
    "patients selections": (
        ("Weights, acceptance and a chain, on the same pool", "betapod patients selections FLOW"),
        ("As a table", "betapod patients selections FLOW --quantities egfr --csv ways.csv"),
    ),
    "patients check": (
        ("Is my table of real patients readable, and how is it understood?", "betapod patients check people.csv"),
        ("Sex is coded", "betapod patients check coded.csv --sex-codes 'female=0,male=1'"),
    ),
    "patients like": (
        ("200 patients who look like those of the FLOW trial", "betapod patients like FLOW -n 200 --out flow.csv"),
        ("Patients who look like those in your table", "betapod patients like people.csv -n 100"),
    ),
    "ensemble": (
        ("100 virtual patients over five years", "betapod ensemble run kidney -n 100 --years 5 --out many"),
        ("What the run folder holds", "betapod ensemble summary many"),
    ),
    "ensemble run": (
        ("100 virtual patients over five years", "betapod ensemble run kidney -n 100 --years 5 --out many"),
        (
            "Only some outputs, only some parameters drawn",
            "betapod ensemble run kidney -n 50 --years 2 -O GFR,UACR --vary N_in -o few",
        ),
        (
            "The first of two parts, such as a job array computes",
            "betapod ensemble run cells -n 9 --shard-size 5 --shard 1/2 -o part1",
        ),
        (
            "The second part, on another machine",
            "betapod ensemble run cells -n 9 --shard-size 5 --shard 2/2 -o part2",
        ),
    ),
    "ensemble resume": (
        ("Complete an interrupted run", "betapod ensemble resume many"),
        ("With two processes", "betapod ensemble resume many --processes 2"),
    ),
    "ensemble summary": (
        ("How many patients, how they ended, how exact", "betapod ensemble summary many"),
        ("With quantiles at the last visit", "betapod ensemble summary many --quantiles"),
    ),
    "ensemble moments": (
        ("Means and spreads of 1000 patients", "betapod ensemble moments kidney -n 1000 --years 2 -O GFR"),
        (
            "With quantiles, every visit as a table",
            "betapod ensemble moments kidney -n 500 --years 2 --quantiles --csv m.csv",
        ),
    ),
    "ensemble plot": (
        ("Bands that hold most patients, and single courses", "betapod ensemble plot many -O MAP -o bands.svg"),
        ("Courses alone", "betapod ensemble plot many -O MAP,V_E --no-bands --courses 100 -o all.png"),
    ),
    "merge": (
        ("Bring two parts of one run together", "betapod merge part1 part2 --out whole"),
        ("Check a folder into which all parts were written", "betapod merge many"),
    ),
    "trial": (
        ("Protocols that come with betapod", "betapod trial list"),
        ("A protocol of your own, to edit", "betapod trial new mine --from dn61"),
        ("Is it good, who is eligible, what does a run cost?", "betapod trial check mine.yaml"),
    ),
    "trial list": (
        ("Protocols that come with betapod", "betapod trial list"),
        ("The same as one JSON document", "betapod trial list --json"),
    ),
    "trial show": (
        ("The protocol of the demonstration", "betapod trial show dn61"),
        ("With every default filled in", "betapod trial show sglt2 --json"),
    ),
    "trial new": (
        ("A small protocol to begin with", "betapod trial new small --template two-arm"),
        ("A drug trial, in a file of another name", "betapod trial new drug --from sglt2 --out drug.yaml"),
    ),
    "trial check": (
        ("Is my protocol good, who is eligible, what does a run cost?", "betapod trial check mine.yaml"),
        ("Several at once", "betapod trial check dn61 packham2016"),
    ),
    "trial size": (
        ("Patients for a power of 90 %", "betapod trial size sglt2"),
        ("Of your own protocol, closer", "betapod trial size mine.yaml --power 0.8 --margin 0.01"),
    ),
    "trial export": (
        ("Data sets of analysis (ADaM) as SAS transport, with define.xml", "betapod trial export packham"),
        (
            "Tabulations (SDTM) as Dataset-JSON",
            "betapod trial export packham --cdisc sdtm --format dataset-json",
        ),
    ),
    "trial usdm": (
        ("Arms and schedule of activities for other tools", "betapod trial usdm dn61 -o dn61-usdm.json"),
        ("Of another design, to look at", "betapod trial usdm dn61 --design randomised"),
    ),
    "trial archive": (
        ("One person in every arm, for COPASI and others", "betapod trial archive dn61 -o dn61.omex"),
        ("For Tellurium, of two quantities", "betapod trial archive sglt2 -O GFR,UACR --nested"),
    ),
    "trial check-adam": (
        ("Data sets that betapod wrote", "betapod trial check-adam packham-adam"),
        ("Findings as a table", "betapod trial check-adam packham-adam --csv findings.csv"),
    ),
    "run": (
        ("A small trial, few replicates", "betapod run packham2016 --replicates 10 --out packham"),
        ("Your own protocol, with its own number of replicates", "betapod run mine.yaml"),
        (
            "One design, one scenario",
            "betapod run dn61 --design 'single arm' --scenario none -r 100 --out null",
        ),
    ),
    "resume": (
        ("Complete an interrupted trial", "betapod resume packham"),
        ("On two threads", "betapod resume packham --threads 2"),
    ),
    "report": (
        ("The report of a run folder", "betapod report packham --quick"),
        ("Run a protocol, then report it", "betapod report zang2022 --replicates 100"),
    ),
    "schema": (
        ("For an editor that checks YAML", "betapod schema trial --out betapod-trial.schema.json"),
        ("To look at", "betapod schema trial"),
    ),
    **EVIDENCE_EXAMPLES,
    "answer": (
        ("Is it effective, in brief", "betapod answer"),
        ("All of it as one page", "betapod answer --out answer.html"),
        ("The text for a patient", "betapod answer --for patient"),
    ),
    **CLAIM_EXAMPLES,
    "validate": (
        ("The scorecard of the kidney", "betapod validate --organ kidney"),
        ("One target, with its set-up and source", "betapod validate --id V16 --verbose"),
    ),
    **FIT_EXAMPLES,
    "confront": (
        ("One drug class by endpoint", "betapod confront --family DAPA_CKD --by endpoint"),
        ("Records behind a claim, each with its prediction", "betapod confront --claim B20 --rows"),
        (
            "Observed against predicted, as one page",
            "betapod confront --scenario current-evidence --page page.html",
        ),
    ),
    "trust": (
        ("How far to trust the model, by treatment", "betapod trust"),
        ("SGLT2 inhibitors and albuminuria", "betapod trust --drug 'SGLT2 inhibitor' --endpoint albuminuria"),
        ("Stromal cells in type 1 diabetes, every number", "betapod trust --product UC-MSC --population T1D --rows"),
    ),
    **SENSITIVITY_EXAMPLES,
    "model": (
        ("Models that come with betapod", "betapod model list"),
        ("The equations of one submodel", "betapod model show kidney Filtration"),
        ("A model as SBML", "betapod model export kidney --out kidney.xml"),
    ),
    "model list": (
        ("Models that come with betapod", "betapod model list"),
        ("As one JSON document", "betapod model list --json"),
    ),
    "model show": (
        ("A whole model", "betapod model show kidney"),
        ("One submodel", "betapod model show kidney Filtration"),
        ("As a diagram for Graphviz", "betapod model show kidney --as dot --out kidney.dot"),
    ),
    "model export": (
        ("SBML for other tools", "betapod model export kidney --out kidney.xml"),
        ("A page to read", "betapod model export reference --out reference.html"),
        ("WebAssembly for browsers and Node, with its JavaScript", "betapod model export kidney --out kidney.wasm"),
    ),
    "model check": (
        ("A model of your own, with its table decay.csv beside it", "betapod model check decay.txt"),
        ("Models that come with betapod", "betapod model check kidney cells"),
    ),
    "params": (
        ("Hand-tuned parameters of the kidney", "betapod params list kidney --role tuned"),
        ("One parameter: value, range, source, use", "betapod params show kidney N_in"),
    ),
    "params list": (
        ("Hand-tuned parameters of the kidney", "betapod params list kidney --role tuned"),
        ("Those about the membrane, as a table to edit", "betapod params list kidney --search membrane --csv w.csv"),
    ),
    "params show": (
        ("One parameter: value, range, source, use", "betapod params show kidney N_in"),
        ("Several, as JSON", "betapod params show kidney N_in GFR0 --json"),
    ),
    "params diff": (
        ("Two models", "betapod params diff cells cells_tracer"),
        ("A model and your own table", "betapod params diff kidney w.csv"),
    ),
    "switches": (
        ("Every mechanism switch", "betapod switches"),
        ("One switch: equations, parameters, scenarios", "betapod switches sw_filtration"),
        ("Those about beta cells", "betapod switches --search beta --csv switches.csv"),
        (
            "Cells that do all but raise filtration",
            "betapod simulate reference --cells 'MPC 150e6 iv' --set sw_filtration=0",
        ),
    ),
    "cite": (
        ("BibTeX of what the kidney's parameters cite", "betapod cite kidney --out kidney.bib"),
        ("Which parameter cites what", "betapod cite kidney --json"),
    ),
}
