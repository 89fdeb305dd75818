"""Which numbers decide: global and local sensitivity, what measurements can tell, and what verdicts of claims rest on."""
