# Golden values of tests/evidence/metafor.csv: Rscript metafor.R > metafor.csv
# R 4.2.2, metafor 3.8-1. Numbers of the studies as published; the registry's rows are named beside them.
suppressMessages(library(metafor))
ctrl <- list(threshold = 1e-14, maxiter = 10000)
put <- function(group, method, r) {
  p <- predict(r)
  ci <- if (r$method == "EE") NA else tryCatch(confint(r, control = list(tol = 1e-12, tau2.max = 1e6))$random["tau^2", c("ci.lb", "ci.ub")],
                                               error = function(e) c(NA, NA))
  x <- c(mu = c(r$beta), se = r$se, ci_low = r$ci.lb, ci_high = r$ci.ub, pi_low = p$pi.lb, pi_high = p$pi.ub, tau2 = r$tau2,
         i2 = r$I2, q = r$QE, q_p = r$QEp, p = r$pval, tau2_low = unname(ci[1]), tau2_high = unname(ci[2]))
  for (n in names(x)) cat(sprintf("%s,%s,%s,%.12g\n", group, method, n, x[[n]]))
}
fit <- function(group, yi, vi) {
  for (m in c("REML", "DL", "ML")) put(group, m, rma(yi, vi, method = m, test = "knha", control = ctrl))
  for (test in c("adhoc", "z")) {
    r <- rma(yi, vi, method = "REML", test = test, control = ctrl)
    cat(sprintf("%s,%s,ci_low,%.12g\n%s,%s,ci_high,%.12g\n", group, test, r$ci.lb, group, test, r$ci.ub))
  }
}
ratio <- function(group, est, lo, hi) fit(group, log(est), ((log(hi) - log(lo)) / (2 * qnorm(.975)))^2)
cat("group,method,name,value\n")

# SGLT2 inhibitors, composite kidney outcome, hazard ratios: CREDENCE, DAPA-CKD, EMPA-KIDNEY, EMPEROR-Preserved (diabetes)
ratio("sglt2_kidney", c(.70, .61, .72, .82), c(.59, .51, .64, .53), c(.82, .72, .82, 1.27))

# MSC in type 2 diabetes, HbA1c, difference: Skyler 12 weeks (-0.3 and 0.0, SE 0.25 each, shared control), Zang 48 weeks
z <- escalc(measure = "MD", m1i = 7.52, sd1i = 1.07, n1i = 45, m2i = 8.19, sd2i = 1.02, n2i = 46)
fit("msc_hba1c", c(mean(c(-.3, 0)), z$yi), c((.25^2 + .25^2 + 2 * .5 * .25 * .25) / 4, z$vi))

# Autologous HSCT in new type 1 diabetes, ever insulin independent: Cantu 2016, Couri 2009, Gu 2012 (logits)
h <- escalc(measure = "PLO", xi = c(7, 20, 15), ni = c(16, 23, 28))
fit("hsct_independence", h$yi, h$vi)

# SGLT2 inhibitors, acute change of eGFR: DAPA-CKD (type 2 diabetes), EMPA-KIDNEY
fit("sglt2_acute", c(-2.61, -2.12), ((c(-2.16, -1.83) - c(-3.06, -2.41)) / (2 * qnorm(.975)))^2)

# Intensive glycaemia, macroalbuminuria, hazard ratios: ACCORD, ADVANCE
ratio("glycaemia_macro", c(.69, .70), c(.55, .57), c(.85, .85))

# SGLT2 inhibitors, UACR, ratio of geometric means: CREDENCE -31 (-36, -27) %, DAPA-CKD -29.3 (-33.1, -25.2) %
ratio("sglt2_uacr", 1 - c(.31, .293), 1 - c(.36, .331), 1 - c(.27, .252))

# Mesenchymal cells, treatment-related serious events: ProTrans 0/10, ORBCEL-M 0/12, rexlemestrocel-L 0/20 (logits)
s <- escalc(measure = "PLO", xi = c(0, 0, 0), ni = c(10, 12, 20))
fit("msc_sae", s$yi, s$vi)

# Thirteen trials of BCG (dat.bcg), log risk ratios; three trials that agree, where an untruncated estimator goes negative
b <- escalc(measure = "RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
for (i in seq_along(b$yi)) cat(sprintf("bcg,data,y%d,%.15g\nbcg,data,v%d,%.15g\n", i, b$yi[i], i, b$vi[i]))
fit("bcg", b$yi, b$vi)
fit("agreeing", c(-.50, -.55, -.60), c(.04, .05, .06))
e <- regtest(rma(yi, vi, data = b), model = "lm", predictor = "sei")
k <- ranktest(rma(yi, vi, data = b), exact = FALSE)
cat(sprintf("bcg,egger,p,%.12g\nbcg,egger,slope,%.12g\nbcg,begg,tau,%.12g\n", e$pval, unname(coef(e$fit)[2]), k$tau))
