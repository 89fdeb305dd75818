"""What all readers of foreign models share."""
