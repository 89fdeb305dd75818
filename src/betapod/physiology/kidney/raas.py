"""Renin, angiotensin and aldosterone."""

from ...model import Submodel


class RAAS(Submodel):
    """Renin-angiotensin-aldosterone system with AT1-bound angiotensin II as its effector.

    Purpose
        Gives the systemic AT1 signal, the intrarenal AT1 signal and the mineralocorticoid signal, all 1 in health, with inhibition of
        converting enzyme, AT1 receptor and mineralocorticoid receptor as inputs.
    Assumptions
        Peptides live for minutes and are taken at their steady state; renin (half-life about ten minutes) relaxes over a quarter of
        a day, deliberately slow, because only daily means matter. Renin answers macula-densa salt, pressure and its own product.
        The intrarenal signal follows receptor availability more than the circulating peptide: volume expansion in chronic kidney
        disease suppresses the systemic signal, and without a local one receptor blockade would do nothing there.
    Provenance
        Peptide chain and its constants: source code of Hallow's renal model (hallow2016). Intrarenal weights and the glycaemic rise
        of local angiotensin: tuned; direction from Pilvankar 2018.
    """

    reads = (
        "macula_densa [1]",
        "MAP_natriuresis [mmHg]",
        "glycaemia [1]",
        "inflammation [1]",
        "e_ACE [1]",
        "e_ARB [1]",
        "e_MRA [1]",
    )
    equations = """
    d_AngI     = log(2)/half_AngI                               [1/h]        elimination of angiotensin I
    d_AngII    = log(2)/half_AngII                              [1/h]        elimination of angiotensin II
    d_AT1      = log(2)/half_AT1                                [1/h]        dissociation of AT1-bound angiotensin II
    AngI0      = PRA0/(c_ACE + c_chymase + d_AngI)              [fmol/mL]    nominal angiotensin I
    AngII0     = AngI0*(c_ACE + c_chymase)/(d_AngII + b_AT1 + b_AT2)         [fmol/mL]  nominal angiotensin II
    AT1_bound0 = b_AT1*AngII0/d_AT1                             [fmol/mL]    nominal AT1-bound angiotensin II

    renin      = exp(ln_renin)                                  [1]          renin activity relative to nominal
    PRA        = PRA0*renin                                     [fmol/mL/h]  plasma renin activity
    conversion = c_ACE*(1 - e_ACE) + c_chymase                  [1/h]        conversion of angiotensin I to II
    binding    = b_AT1*(1 - e_ARB)                              [1/h]        binding of angiotensin II to AT1 receptors
    AngI       = PRA/(conversion + d_AngI)                      [fmol/mL]    angiotensin I
    AngII      = AngI*conversion/(d_AngII + binding + b_AT2)    [fmol/mL]    angiotensin II
    AT1_bound  = binding*AngII/d_AT1                            [fmol/mL]    AT1-bound angiotensin II
    AT1        = AT1_bound/AT1_bound0                           [1]          systemic AT1 signal relative to nominal

    AT1_share  = binding/(d_AngII + binding + b_AT2)            [1]          share of angiotensin II that binds AT1
    AT1_share0 = b_AT1/(d_AngII + b_AT1 + b_AT2)                [1]          the same share without drugs
    AT1_local  = AT1_systemic_weight*AT1 + (1 - AT1_systemic_weight)*AT1_share/AT1_share0*(1 - c_ACE_local*e_ACE)
                 *(1 + k_AT1_local*(glycaemia + inflammation))  [1]          intrarenal AT1 signal relative to nominal

    ln_renin(0)    = 0                                          [1]          logarithm of relative renin activity
    dln_renin/dt   = (-k_renin_md*macula_densa - k_renin_MAP*MAP_natriuresis - k_renin_AT1*log(AT1) - ln_renin)/tau_renin
                                                                [1/day]      renin secretion and loss
    aldosterone_target = 1 + softplus0(k_aldosterone*(AT1 - 1), -aldosterone_floor, aldosterone_width, 0)
                                                                [1]          aldosterone at steady state
    aldosterone(0) = 1                                          [1]          plasma aldosterone relative to nominal
    daldosterone/dt = (aldosterone_target - aldosterone)/tau_aldosterone     [1/day]  aldosterone secretion and loss
    MR         = aldosterone*(1 - e_MRA)                        [1]          mineralocorticoid signal relative to nominal
    """
