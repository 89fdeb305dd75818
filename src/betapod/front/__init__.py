"""The front door: what `import betapod` offers, thin functions over the rooms below; how results show themselves."""
