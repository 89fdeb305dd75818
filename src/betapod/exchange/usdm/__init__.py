"""Schedules of activities in the Unified Study Definitions Model of CDISC, version 4: protocols out, and in."""
