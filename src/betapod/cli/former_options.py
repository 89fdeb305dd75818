"""Options of earlier versions, with those of today, for those who still write them."""

#: Options of the command line.
OPTIONS = {"--hypothesis": "--scenario", "--mechanisms": "--scenario", "--under": "--scenario"}
