"""Published equations of kidney risk: learned from patients, they stand beside what the model says of the same people."""
