"""Virtual patients: grown from before diabetes to today, weighted to look like real people."""
