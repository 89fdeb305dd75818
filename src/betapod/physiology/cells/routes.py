"""First-pass distribution of infused cells by route of administration."""

from __future__ import annotations

from ...model import Submodel

#: Organs that hold infused cells; the suffix of every quantity that belongs to one of them.
ORGANS = {"L": "lung", "H": "liver", "S": "spleen", "K": "kidneys", "P": "pancreas", "E": "elsewhere"}


class FirstPass(Submodel):
    """Where cells arrest in the minutes after an infusion.

    Blood is not a state: cells leave it within minutes, so that the arrest of a bolus is the limit of an infinite number of
    passes through lung and systemic organs, which is algebra. An organ catches the fraction ``eps`` of the cells that its share
    of the cardiac output brings. Damage raises the *flow share* of kidney and pancreas (homing by SDF-1 and the like) up to a
    ceiling set by perfusion; the other organs give way. Each route ends in six fractions that sum to 1.

    Routes: ``iv`` a peripheral vein; ``artery`` the left heart (what the lung releases); ``renal`` renal artery; ``pancreatic``
    dorsal pancreatic or pancreaticoduodenal artery; ``splenic`` splenic artery; ``portal`` portal vein; ``intrarenal`` injection
    into the kidney. Gut, spleen and pancreas drain into the liver; the kidney drains into the lung.

    The ceiling is a smooth minimum whose corner is rounded by about one part in 10^4 of the ceiling at the very corner and by less
    than 10^-7 one per cent away from it.
    """

    reads = ("damage_K [1]", "damage_P [1]", "RBF_rel [1]", "sw_homing [1]")
    equations = """
    homing_K  = 1 + sw_homing*(h_max_K - 1)*damage_K/(C50_home + damage_K)   [1]  homing multiplier of the renal flow share
    homing_P  = 1 + sw_homing*(h_max_P - 1)*damage_P/(C50_home + damage_P)   [1]  homing multiplier of the pancreatic flow share
    share_K0  = phi_K*RBF_rel                                    [1]  renal share of cardiac output, without homing
    share_K   = smooth_min(f_cap_K, share_K0*homing_K, cap_sharpness)  [1]  renal share of the cells, with homing
    share_P   = smooth_min(f_cap_P, phi_P*homing_P, cap_sharpness)     [1]  pancreatic share of the cells, with homing
    share_m   = (1 - share_K - share_P)/(1 - share_K0 - phi_P)   [1]  factor on every other share
    share_S   = phi_S*share_m                                    [1]  splenic share
    share_G   = (phi_portal - phi_S - phi_P)*share_m             [1]  share of the gut
    share_H   = phi_Ha*share_m                                   [1]  share of the hepatic artery
    share_E   = (1 - share_K0 - phi_portal - phi_Ha)*share_m     [1]  share of everything else

    caught_K  = share_K*eps_K                                    [1]  caught in the kidneys, of cells in the aorta
    caught_P  = share_P*eps_P                                    [1]  caught in the pancreas, of cells in the aorta
    caught_S  = share_S*eps_S                                    [1]  caught in the spleen, of cells in the aorta
    caught_E  = share_E*eps_E + share_G*eps_G                    [1]  caught in gut and elsewhere, of cells in the aorta
    caught_H  = (share_H + share_S*(1 - eps_S) + share_P*(1 - eps_P) + share_G*(1 - eps_G))*eps_H
                                                                 [1]  caught in the liver, of cells in the aorta
    caught    = caught_K + caught_P + caught_S + caught_E + caught_H   [1]  caught in one systemic pass
    passing_L = 1 - eps_L                                        [1]  pass the lung
    passes    = 1/(1 - passing_L*(1 - caught))                   [1]  sum over all passes

    iv_L = eps_L*passes                                          [1]  vein to lung
    iv_H = passing_L*caught_H*passes                             [1]  vein to liver
    iv_S = passing_L*caught_S*passes                             [1]  vein to spleen
    iv_K = passing_L*caught_K*passes                             [1]  vein to kidneys
    iv_P = passing_L*caught_P*passes                             [1]  vein to pancreas
    iv_E = passing_L*caught_E*passes                             [1]  vein to elsewhere

    artery_L = (1 - caught)*eps_L*passes                         [1]  aorta to lung
    artery_H = caught_H*passes                                   [1]  aorta to liver
    artery_S = caught_S*passes                                   [1]  aorta to spleen
    artery_K = caught_K*passes                                   [1]  aorta to kidneys
    artery_P = caught_P*passes                                   [1]  aorta to pancreas
    artery_E = caught_E*passes                                   [1]  aorta to elsewhere

    portal_L = (1 - eps_H)*iv_L                                  [1]  portal vein to lung
    portal_H = (1 - eps_H)*iv_H + eps_H                          [1]  portal vein to liver
    portal_S = (1 - eps_H)*iv_S                                  [1]  portal vein to spleen
    portal_K = (1 - eps_H)*iv_K                                  [1]  portal vein to kidneys
    portal_P = (1 - eps_H)*iv_P                                  [1]  portal vein to pancreas
    portal_E = (1 - eps_H)*iv_E                                  [1]  portal vein to elsewhere

    renal_L = (1 - eps_K)*iv_L                                   [1]  renal artery to lung
    renal_H = (1 - eps_K)*iv_H                                   [1]  renal artery to liver
    renal_S = (1 - eps_K)*iv_S                                   [1]  renal artery to spleen
    renal_K = (1 - eps_K)*iv_K + eps_K                           [1]  renal artery to kidneys
    renal_P = (1 - eps_K)*iv_P                                   [1]  renal artery to pancreas
    renal_E = (1 - eps_K)*iv_E                                   [1]  renal artery to elsewhere

    pancreatic_L = (1 - eps_P)*portal_L                          [1]  pancreatic artery to lung
    pancreatic_H = (1 - eps_P)*portal_H                          [1]  pancreatic artery to liver
    pancreatic_S = (1 - eps_P)*portal_S                          [1]  pancreatic artery to spleen
    pancreatic_K = (1 - eps_P)*portal_K                          [1]  pancreatic artery to kidneys
    pancreatic_P = (1 - eps_P)*portal_P + eps_P                  [1]  pancreatic artery to pancreas
    pancreatic_E = (1 - eps_P)*portal_E                          [1]  pancreatic artery to elsewhere

    splenic_rest = 1 - f_SA_S*eps_S - f_SA_P*eps_P               [1]  splenic artery: not caught at once
    splenic_L = splenic_rest*portal_L                            [1]  splenic artery to lung
    splenic_H = splenic_rest*portal_H                            [1]  splenic artery to liver
    splenic_S = splenic_rest*portal_S + f_SA_S*eps_S             [1]  splenic artery to spleen
    splenic_K = splenic_rest*portal_K                            [1]  splenic artery to kidneys
    splenic_P = splenic_rest*portal_P + f_SA_P*eps_P             [1]  splenic artery to pancreas
    splenic_E = splenic_rest*portal_E                            [1]  splenic artery to elsewhere

    intrarenal_L = (1 - r_IR)*iv_L                               [1]  injected into the kidney, to lung
    intrarenal_H = (1 - r_IR)*iv_H                               [1]  injected into the kidney, to liver
    intrarenal_S = (1 - r_IR)*iv_S                               [1]  injected into the kidney, to spleen
    intrarenal_K = (1 - r_IR)*iv_K + r_IR                        [1]  injected into the kidney, stays there
    intrarenal_P = (1 - r_IR)*iv_P                               [1]  injected into the kidney, to pancreas
    intrarenal_E = (1 - r_IR)*iv_E                               [1]  injected into the kidney, to elsewhere
    """
