"""Runs of many patients: planned, cut into shards, stored, resumed, merged, summarised."""
